/** A client in one namespace, as its parent sees it. */
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { spawnOnHost } from '../../../src/demo/host/host-process.ts'
import type { HostPlaces } from '../../../src/demo/places/places.ts'

/** What a client asks: whoever answers there for its name. */
export interface Question {
  readonly host: string
  readonly port: number
  readonly family: 4 | 6
  readonly protocol: 'tcp' | 'udp'
}

/** Asks one question at a time; ends with the places. */
export class MatrixClient {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>
  #last: Promise<unknown> = Promise.resolve()

  private constructor(child: ChildProcess) {
    this.#child = child
    if (child.stdout === null) throw new Error('the client has no output')
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  }

  /** Starts a client in a namespace of a host. */
  static async start(host: HostPlaces, namespace: string): Promise<MatrixClient> {
    const program = fileURLToPath(new URL('client-main.ts', import.meta.url))
    const options = { namespace, isClient: true }
    const client = new MatrixClient(spawnOnHost(host, [process.execPath, program], options))
    await client.#line()
    return client
  }

  /** @returns who answered, or the error's code, e.g. `ECONNREFUSED` */
  ask(question: Question): Promise<string> {
    const answer = this.#last.then(async () => {
      this.#child.stdin?.write(`${JSON.stringify(question)}\n`)
      return JSON.parse(await this.#line()) as string
    })
    this.#last = answer.catch(() => undefined)
    return answer
  }

  async #line(): Promise<string> {
    const { value, done } = await this.#lines.next()
    if (done === true) throw new Error('the client has ended')
    return value
  }
}

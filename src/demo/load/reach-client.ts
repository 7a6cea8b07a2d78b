/** A client on a host that waits for services, as its parent sees it. */
import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { demoProgram, spawnOnHost } from '../host/host-process.ts'
import type { HostPlaces } from '../places/places.ts'

/** Asks one address at a time; {@link ReachClient.start} starts it. */
export class ReachClient {
  readonly #child: ChildProcess
  readonly #lines: AsyncIterator<string>

  private constructor(child: ChildProcess) {
    this.#child = child
    if (child.stdout === null) throw new Error('the client has no output')
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  }

  /** Starts the client. */
  static start(host: HostPlaces): ReachClient {
    return new ReachClient(spawnOnHost(host, demoProgram('load/reach-main.ts'), { isClient: true }))
  }

  /** Begins to ask an address, e.g. `11.200.0.1:80`. @returns once it does */
  async ask(address: string): Promise<void> {
    this.#child.stdin?.write(`${address}\n`)
    const line = await this.#line()
    if (line !== 'asking') throw new Error(`the client said ${line}`)
  }

  /** When it answered, by the machine's monotonic clock; undefined: it did not. */
  async answeredMs(): Promise<number | undefined> {
    const [word, time] = (await this.#line()).split(' ')
    return word === 'answered' ? Number(time) : undefined
  }

  /** Ends it. */
  stop(): void {
    this.#child.stdin?.end()
  }

  async #line(): Promise<string> {
    const { value, done } = await this.#lines.next()
    if (done === true) throw new Error('the client has ended')
    return value
  }
}

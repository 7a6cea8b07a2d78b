/** Drives the traffic program of one namespace. */
import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { Destination, Exchange, Tally, TrafficAnswer, TrafficCall, Visit } from './traffic.ts'

/** Where a program runs. */
export interface Place {
  /** Path of the network namespace. */
  readonly namespace: string
  readonly cgroup: string
}

/** Starts one of this folder's programs in a namespace and a cgroup. */
export function spawnIn(
  { namespace, cgroup }: Place,
  program: string,
  ...args: string[]
): ChildProcessByStdio<Writable, Readable, null> {
  const path = fileURLToPath(new URL(program, import.meta.url))
  const script = `echo $$ > ${cgroup}/cgroup.procs && exec nsenter --net=${namespace} "$@"`
  const command = [process.execPath, '--disable-warning=ExperimentalWarning', path, ...args]
  return spawn('sh', ['-c', script, 'sh', ...command], { stdio: ['pipe', 'pipe', 'inherit'] })
}

/** A running traffic program; calls are answered one after another. */
export class TrafficAgent {
  readonly #child: ChildProcess
  readonly #waiters: PromiseWithResolvers<unknown>[] = []

  constructor(place: Place) {
    const child = spawnIn(place, 'traffic-main.ts')
    createInterface(child.stdout).on('line', (line) => this.#answer(JSON.parse(line)))
    child.once('exit', (code) => this.#fail(`the traffic program ended with ${code}`))
    this.#child = child
  }

  /** One socket, one exchange. */
  visit(destination: Destination): Promise<Visit> {
    return this.call({ call: 'visit', ...destination }) as Promise<Visit>
  }

  /** Many sockets, one exchange each. */
  visits(destination: Destination, count: number): Promise<Tally> {
    return this.call({ call: 'visits', count, ...destination }) as Promise<Tally>
  }

  /** Another exchange on a socket that `open` made. */
  say(flow: string): Promise<Exchange> {
    return this.call({ call: 'say', flow }) as Promise<Exchange>
  }

  /** Opens flows that stay. */
  async openMany(group: string, count: number, destination: Destination): Promise<void> {
    await this.call({ call: 'openMany', group, count, ...destination })
  }

  /** Another exchange on each flow of a group. */
  sayAll(group: string): Promise<Tally> {
    return this.call({ call: 'sayAll', group }) as Promise<Tally>
  }

  /** Visits without end, until {@link TrafficAgent.endFlood}. */
  async flood(destination: Destination): Promise<void> {
    await this.call({ call: 'flood', ...destination })
  }

  /** How many visits the flood has made. */
  floodCount(): Promise<number> {
    return this.call({ call: 'floodCount' }) as Promise<number>
  }

  endFlood(): Promise<Tally> {
    return this.call({ call: 'endFlood' }) as Promise<Tally>
  }

  call(call: TrafficCall): Promise<unknown> {
    const waiter = Promise.withResolvers<unknown>()
    this.#waiters.push(waiter)
    this.#child.stdin?.write(`${JSON.stringify(call)}\n`)
    return waiter.promise
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#child.once('exit', () => resolve())
    this.#child.stdin?.end()
    await promise
  }

  #answer({ result, error }: TrafficAnswer): void {
    const waiter = this.#waiters.shift()
    if (error === undefined) waiter?.resolve(result)
    else waiter?.reject(new Error(error))
  }

  #fail(reason: string): void {
    for (const waiter of this.#waiters.splice(0)) waiter.reject(new Error(reason))
  }
}

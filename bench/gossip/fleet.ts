/** Programs on the nodes of a network, and what they tell. */
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { systemClock } from '../../src/base/clock.ts'
import { spawnOnHost } from '../../src/demo/host/host-process.ts'
import { numbersTo } from './network.ts'
import { type FleetPlaces, nodePlaces } from './places.ts'
import type { Program } from './program.ts'
import { machineMs, type ProgramEvent } from './program-event.ts'

const LOOK_EVERY_MS = 20

/** A node as the fleet sees it. */
export interface FleetNode {
  readonly number: number
  readonly child: ChildProcess
  readonly events: ProgramEvent[]
  /** What it last said about each member, by name. */
  readonly states: Map<string, string>
  readonly values: Map<string, string>
  name: string
}

/** Something did not come to hold in time. */
export class NotYet extends Error {}

/** Nodes 1 to `size`, each running the program. */
export class Fleet {
  readonly nodes: readonly FleetNode[]
  readonly program: Program
  readonly #killed = new Set<FleetNode>()

  private constructor(program: Program, nodes: readonly FleetNode[]) {
    this.program = program
    this.nodes = nodes
  }

  /** Starts all processes and waits until they are loaded; they do not talk yet. */
  static async open(places: FleetPlaces, size: number, program: Program): Promise<Fleet> {
    const nodes = numbersTo(size).map((number) => {
      const child = spawnOnHost(nodePlaces(places, number), program.command(number))
      return newNode(number, child)
    })
    const fleet = new Fleet(program, nodes)
    await fleet.until('loaded', 60_000, () =>
      nodes.every(({ events }) => events[0]?.kind === 'ready'),
    )
    return fleet
  }

  node(number: number): FleetNode {
    const node = this.nodes[number - 1]
    if (node === undefined) throw new RangeError(`no node ${number}`)
    return node
  }

  /** Tells nodes a word. */
  tell(nodes: Iterable<FleetNode>, word: string): void {
    for (const { child } of nodes) child.stdin?.write(`${word}\n`)
  }

  /** Ends a node's process at once. */
  async kill(node: FleetNode): Promise<void> {
    this.#killed.add(node)
    if (hasEnded(node)) return
    const exited = once(node.child, 'exit')
    node.child.kill('SIGKILL')
    await exited
  }

  /**
   * Waits for something to hold.
   *
   * @returns when it held
   * @throws NotYet with what was waited for; Error at once when a process ended that was not killed
   */
  async until(what: string, timeoutMs: number, holds: () => boolean): Promise<number> {
    const deadlineMs = machineMs() + timeoutMs
    while (!holds()) {
      const ended = this.nodes.find((node) => hasEnded(node) && !this.#killed.has(node))
      if (ended !== undefined) throw new Error(`node ${ended.number} ended, not yet ${what}`)
      if (machineMs() > deadlineMs) throw new NotYet(`after ${timeoutMs} ms not yet ${what}`)
      await wait(LOOK_EVERY_MS)
    }
    return machineMs()
  }

  /** What nodes know now, each as one text; the same text is the same knowledge. */
  async pictures(nodes: readonly FleetNode[]): Promise<readonly string[]> {
    const askedMs = machineMs()
    this.tell(nodes, 'state')
    const answerOf = ({ events }: FleetNode) =>
      events.findLast((event) => event.kind === 'state' && event.atMs >= askedMs)
    await this.until('told its state', 10_000, () => nodes.every(answerOf))
    return nodes.map((node) => {
      const answer = answerOf(node)
      return answer?.kind === 'state' ? [...answer.picture].sort().join('\n') : ''
    })
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => this.kill(node)))
  }
}

/** Waits without a condition: for a measure's window. */
export async function wait(durationMs: number): Promise<void> {
  await systemClock.sleep(durationMs, { signal: AbortSignal.timeout(durationMs * 2 + 10_000) })
}

function hasEnded({ child }: FleetNode): boolean {
  return child.exitCode !== null || child.signalCode !== null
}

function newNode(number: number, child: ChildProcess): FleetNode {
  const node: FleetNode = {
    number,
    child,
    events: [],
    states: new Map(),
    values: new Map(),
    name: '',
  }
  child.stdin?.on('error', () => undefined) // it was killed
  if (child.stdout !== null) {
    createInterface({ input: child.stdout }).on('line', (line) => take(node, line))
  }
  return node
}

function take(node: FleetNode, line: string): void {
  if (!line.endsWith('}')) return // killed within a line
  const event = JSON.parse(line) as ProgramEvent
  node.events.push(event)
  if (event.kind === 'started') node.name = event.name
  else if (event.kind === 'member') node.states.set(event.name, event.state)
  else if (event.kind === 'change') node.values.set(event.name, event.value)
}

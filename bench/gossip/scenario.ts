/**
 * What one program goes through on a network with one loss: all start, rest, change, one node is
 * killed, another's cable is cut and plugged in again, quiet.
 */
import { cpuSeconds, rssMib } from '../process-usage.ts'
import { type Agreement, agreement, allAlive, startAll } from './agreement.ts'
import { Fleet, type FleetNode, NotYet, wait } from './fleet.ts'
import { bytesSent, setLink, setLoss } from './network.ts'
import type { FleetPlaces } from './places.ts'
import type { Program } from './program.ts'
import { machineMs } from './program-event.ts'
import {
  changeDelays,
  delaysUntil,
  type FalseAlarms,
  falseAlarms,
  sightingsIn,
} from './sightings.ts'

const SETTLE_MS = 4000
const CHANGES = 20
const CHANGE_EVERY_MS = 150
const BETWEEN_FAULTS_MS = 1000

/** How much is done. */
export interface ScenarioSettings {
  readonly size: number
  readonly lossPercent: number
  /** How long nodes are looked at while nothing happens. */
  readonly restMs: number
  readonly say: (line: string) => void
}

/** Delays of all who should have seen something; undefined: did not, in time. */
export type Delays = readonly (number | undefined)[]

/** How a lost node was noticed by the others. */
export interface Detection {
  readonly avoided: Delays
  readonly dead: Delays
}

/** What was measured. */
export interface ScenarioReport {
  /** From the start of all to everyone knowing all and their values. */
  readonly startMs: number
  readonly bytesPerSecond: number
  readonly cpuPercent: number
  readonly rssMib: number
  /** Per change, to each other node. */
  readonly changes: readonly Delays[]
  readonly killed: Detection
  readonly cut: Detection
  readonly alarms: FalseAlarms & { readonly nodeHours: number }
  /** From the cable's return to everyone knowing everyone again. */
  readonly healedMs: number | undefined
  /** How many of how many living nodes have the most common picture in the end. */
  readonly same: Agreement | undefined
}

/** Runs the scenario with a program. */
export async function runScenario(
  places: FleetPlaces,
  program: Program,
  settings: ScenarioSettings,
): Promise<ScenarioReport> {
  await setLoss(places, settings.size, settings.lossPercent)
  const fleet = await Fleet.open(places, settings.size, program)
  try {
    const startMs = await startAll(fleet)
    settings.say(`all know all after ${Math.round(startMs)} ms`)
    await wait(SETTLE_MS)
    const fromMs = machineMs()
    const rest = await watchRest(places, fleet, settings.restMs)
    const changes = await changeValues(fleet)
    settings.say('changed')
    const faults = await loseTwo(places, fleet, settings)
    const alarms = alarmsIn(fleet, fromMs, faults)
    settings.say('found two lost')
    await setLink(places, faults.cutNode.number, 'up')
    const healing = program.name === 'navstar' ? await heal(fleet, faults) : NOT_HEALED
    return { startMs, ...rest, changes, ...faults, alarms, ...healing }
  } finally {
    await fleet.close()
  }
}

/** memberlist leaves it to others to bring the sides of a cut together. */
const NOT_HEALED = { healedMs: Number.NaN, same: undefined } as const

async function watchRest(
  places: FleetPlaces,
  { nodes }: Fleet,
  restMs: number,
): Promise<Pick<ScenarioReport, 'bytesPerSecond' | 'cpuPercent' | 'rssMib'>> {
  const usage = async () => ({
    bytes: sum((await bytesSent(places)).values()),
    seconds: sum(await Promise.all(nodes.map(({ child }) => cpuSeconds(child.pid)))),
    atMs: machineMs(),
  })
  const before = await usage()
  await wait(restMs)
  const after = await usage()
  const nodeSeconds = (nodes.length * (after.atMs - before.atMs)) / 1000
  const memory = await Promise.all(nodes.map(({ child }) => rssMib(child.pid)))
  return {
    bytesPerSecond: (after.bytes - before.bytes) / nodeSeconds,
    cpuPercent: (100 * (after.seconds - before.seconds)) / nodeSeconds,
    rssMib: sum(memory) / nodes.length,
  }
}

async function changeValues(fleet: Fleet): Promise<Delays[]> {
  const changes: { node: FleetNode; value: string }[] = []
  for (let index = 1; index <= CHANGES; index++) {
    const node = fleet.node(1 + ((index * 7) % fleet.nodes.length))
    const value = `value-${index}`
    fleet.tell([node], `publish ${value}`)
    changes.push({ node, value })
    await wait(CHANGE_EVERY_MS)
  }
  const last = new Map(changes.map(({ node, value }) => [node, value]))
  const hasAll = (other: FleetNode) =>
    [...last].every(([node, value]) => other === node || other.values.get(node.name) === value)
  const isDone = () => fleet.nodes.every(hasAll)
  await fleet.until('the changes everywhere', 10_000, isDone).catch(asNever)
  return changeDelays(fleet, changes)
}

interface Faults {
  readonly killed: Detection
  readonly cut: Detection
  readonly cutNode: FleetNode
  readonly cutAtMs: number
  readonly killedNode: FleetNode
  readonly killedAtMs: number
  readonly others: readonly FleetNode[]
}

/** Kills the last node, cuts the cable of the last but one, and waits until all know. */
async function loseTwo(
  places: FleetPlaces,
  fleet: Fleet,
  { size }: ScenarioSettings,
): Promise<Faults> {
  const [killedNode, cutNode] = [fleet.node(size), fleet.node(size - 1)]
  const others = fleet.nodes.filter((node) => node !== killedNode && node !== cutNode)
  const killedAtMs = machineMs()
  await fleet.kill(killedNode)
  await wait(BETWEEN_FAULTS_MS)
  const cutAtMs = machineMs()
  await setLink(places, cutNode.number, 'down')
  const detection = (subject: FleetNode, fromMs: number): Detection => {
    const seen = (states: readonly string[]) => delaysUntil(others, { subject, states, fromMs })
    const states = fleet.program.avoided === 'dead' ? ['dead'] : ['doubted', 'dead']
    return { avoided: seen(states), dead: seen(['dead']) }
  }
  const isDead = ({ states }: FleetNode, { name }: FleetNode) => states.get(name) === 'dead'
  const isKnown = () => others.every((node) => isDead(node, killedNode) && isDead(node, cutNode))
  await fleet.until('both dead for all', 60_000, isKnown).catch(asNever)
  const killed = detection(killedNode, killedAtMs)
  const cut = detection(cutNode, cutAtMs)
  return { killed, cut, cutNode, cutAtMs, killedNode, killedAtMs, others }
}

function alarmsIn(fleet: Fleet, fromMs: number, faults: Faults): ScenarioReport['alarms'] {
  const { killedNode, killedAtMs, cutNode, cutAtMs, others } = faults
  const toMs = machineMs()
  const alarms = falseAlarms(
    sightingsIn(fleet, { fromMs, toMs }),
    ({ observer, subject, atMs }) =>
      (subject === killedNode.number && atMs >= killedAtMs) ||
      (subject === cutNode.number && atMs >= cutAtMs) ||
      (observer === cutNode.number && atMs >= cutAtMs),
  )
  return { ...alarms, nodeHours: (others.length * (toMs - fromMs)) / 3_600_000 }
}

async function heal(
  fleet: Fleet,
  { others, cutNode }: Faults,
): Promise<Pick<ScenarioReport, 'healedMs' | 'same'>> {
  const fromMs = machineMs()
  const living = [...others, cutNode]
  const healedAtMs = await fleet.until('healed', 40_000, () => allAlive(living)).catch(asNever)
  const same = await agreement(fleet, living)
  return { healedMs: healedAtMs === undefined ? undefined : healedAtMs - fromMs, same }
}

/** What did not come in time is shown as such. */
function asNever(error: unknown): undefined {
  if (!(error instanceof NotYet)) throw error
}

function sum(numbers: Iterable<number>): number {
  let total = 0
  for (const number of numbers) total += number
  return total
}

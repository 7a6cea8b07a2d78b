/** What befalls a cluster: each fault is drawn, happens, and ends before the quiet. */
import { below, between, oneOf, shuffled, someOf } from './dice.ts'
import type { Host } from './host.ts'
import type { NetworkSettings } from './network.ts'
import type { Simulation } from './simulation.ts'
import type { Stage } from './stage.ts'
import { repeat } from './workload.ts'

/** A place and time for faults. */
export interface Ground {
  readonly stage: Stage
  readonly simulation: Simulation
  /** When everything must be over. */
  readonly untilMs: number
}

type Fault = (ground: Ground) => void

const FAULTS: Readonly<Record<string, readonly [weight: number, fault: Fault]>> = {
  crash: [4, crash],
  pause: [4, pause],
  cut: [3, cut],
  cutOneWay: [3, cutOneWay],
  flap: [2, flap],
  loss: [3, lose],
  leave: [1, leave],
  move: [1, move],
  clock: [1, stepClock],
  join: [2, join],
  report: [2, report],
  forget: [2, forget],
  massRestart: [0.3, massRestart],
}

/** Lets faults happen until the end, on average one in the given time. */
export function keepFailing(ground: Ground, everyMs: number, say: (text: string) => void): void {
  const { simulation, untilMs } = ground
  repeat(simulation, { everyMs, untilMs }, () => {
    const [name, fault] = draw(ground)
    say(name)
    fault(ground)
  })
}

function draw({ simulation }: Ground): readonly [string, Fault] {
  const entries = Object.entries(FAULTS)
  const sum = entries.reduce((total, [, [weight]]) => total + weight, 0)
  let rest = simulation.random.next() * sum
  for (const [name, [weight, fault]] of entries) {
    rest -= weight
    if (rest < 0) return [name, fault]
  }
  return ['crash', crash]
}

/** How long a fault lasts: mostly short, at most until the end. */
function spanMs({ simulation, untilMs }: Ground, mostMs: number): number {
  const span = mostMs * simulation.random.next() ** 3
  return Math.max(1, Math.min(span, untilMs - simulation.nowMs))
}

function drawLiving({ stage, simulation }: Ground): Host | undefined {
  const { living } = stage
  return living.length === 0 ? undefined : oneOf(simulation.random, living)
}

function crash(ground: Ground): void {
  const host = drawLiving(ground)
  if (host === undefined) return
  const keepsDisk = ground.simulation.random.next() < 0.7
  ground.stage.restart(host, { keepsDisk, afterMs: spanMs(ground, 60_000) })
}

function massRestart(ground: Ground): void {
  const { simulation, stage } = ground
  const share = oneOf(simulation.random, [0.3, 0.6, 1])
  const keepsDisk = simulation.random.next() < 0.7
  for (const host of someOf(simulation.random, stage.living, share)) {
    stage.restart(host, { keepsDisk, afterMs: spanMs(ground, 5000) })
  }
}

function pause(ground: Ground): void {
  const { simulation, stage } = ground
  const chance = oneOf(simulation.random, [0, 0, 0.1, 0.5])
  const [one] = shuffled(simulation.random, stage.living)
  const hosts = someOf(simulation.random, stage.living, chance)
  for (const host of one === undefined ? hosts : [one, ...hosts]) {
    simulation.pause(host, spanMs(ground, 20_000))
  }
}

function healLater({ simulation }: Ground, heal: () => void, afterMs: number): void {
  simulation.at(simulation.nowMs + afterMs, heal)
}

function cut(ground: Ground): void {
  const { simulation } = ground
  const share = simulation.random.next()
  const side = new Set(someOf(simulation.random, simulation.hosts, share))
  const others = simulation.hosts.filter((host) => !side.has(host))
  const spanned = spanMs(ground, 90_000)
  healLater(ground, simulation.network.cut(side, others), spanned)
  healLater(ground, simulation.network.cut(others, side), spanned)
}

function cutOneWay(ground: Ground): void {
  const { simulation } = ground
  const from = someOf(simulation.random, simulation.hosts, simulation.random.next())
  const to = someOf(simulation.random, simulation.hosts, simulation.random.next())
  healLater(ground, simulation.network.cut(from, to), spanMs(ground, 60_000))
}

function flap(ground: Ground): void {
  const { simulation, untilMs } = ground
  const [one, other] = shuffled(simulation.random, simulation.hosts)
  if (one === undefined || other === undefined) return
  let isOpen = true
  let heal = (): void => {}
  const endMs = simulation.nowMs + spanMs(ground, 30_000)
  const turn = (): void => {
    if (isOpen) heal = simulation.network.cut([one], [other])
    else heal()
    isOpen = !isOpen
    if (simulation.nowMs < Math.min(endMs, untilMs) || !isOpen) {
      simulation.at(Math.min(simulation.nowMs + between(simulation.random, 20, 900), untilMs), turn)
    }
  }
  turn()
}

function lose(ground: Ground): void {
  const { network, random } = ground.simulation
  setNetwork(ground, { lossRate: oneOf(random, [0.01, 0.05, 0.2, 0.5]) })
  const calm: Partial<NetworkSettings> = { lossRate: 0 }
  healLater(
    ground,
    () => {
      network.settings = { ...network.settings, ...calm }
    },
    spanMs(ground, 20_000),
  )
}

function setNetwork({ simulation }: Ground, change: Partial<NetworkSettings>): void {
  simulation.network.settings = { ...simulation.network.settings, ...change }
}

/** Leaves; comes back later as the same, half of the time. */
function leave(ground: Ground): void {
  const { stage, simulation } = ground
  const host = drawLiving(ground)
  if (host === undefined || host.index < 3 || simulation.isPaused(host)) return
  stage.leave(host)
  if (simulation.random.next() < 0.5) {
    stage.startAt(host, simulation.nowMs + 1000 + spanMs(ground, 30_000))
  } else {
    simulation.at(simulation.nowMs + 600, () => {
      if (!host.isUp) host.isGone = true
    })
  }
}

/** Comes back at another address. */
function move(ground: Ground): void {
  const { stage, simulation } = ground
  const host = drawLiving(ground)
  if (host === undefined || host.index < 3) return
  simulation.crash(host, { keepsDisk: true })
  simulation.move(host)
  stage.startAt(host, simulation.nowMs + spanMs(ground, 10_000))
}

/** Sets the date wrong by up to a month; it shows at the next start. */
function stepClock(ground: Ground): void {
  const host = drawLiving(ground)
  if (host === undefined) return
  host.dateOffsetMs = between(ground.simulation.random, -1, 1) * 30 * 86_400_000
  if (ground.simulation.random.next() < 0.5) {
    ground.stage.restart(host, { keepsDisk: true, afterMs: spanMs(ground, 5000) })
  }
}

function join(ground: Ground): void {
  const { stage, simulation } = ground
  if (simulation.hosts.length > 2000) return
  const [host] = stage.addHosts(1, below(simulation.random, 4))
  if (host !== undefined) stage.start(host)
}

/** An operator says at one that another, which is silent in its eyes, does not come back. */
function forget(ground: Ground): void {
  const { simulation } = ground
  const host = drawLiving(ground)
  const silent = [...(host?.engine?.members() ?? [])].filter(
    ({ isSelf, state }) => !isSelf && state !== 'alive',
  )
  if (host === undefined || silent.length === 0) return
  simulation.input(host, { kind: 'forget', node: oneOf(simulation.random, silent).id })
}

/** The data path of one says that another, who lives, failed. */
function report(ground: Ground): void {
  const { simulation } = ground
  const [one, other] = shuffled(simulation.random, ground.stage.living)
  if (one === undefined || other?.node === undefined) return
  simulation.input(one, { kind: 'report', node: other.node })
}

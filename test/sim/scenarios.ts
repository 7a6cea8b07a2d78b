/** The scenarios by name. */
import { Addresses } from './addresses.ts'
import { bringUp } from './bring-up.ts'
import { below, between, oneOf, shuffled, someOf } from './dice.ts'
import { evict } from './evict.ts'
import { keepFailing } from './faults.ts'
import type { Host } from './host.ts'
import { WAN } from './network.ts'
import type { Scenario, Scene } from './scenario.ts'
import { drawChanges, keepChanging, repeat } from './workload.ts'

/** Faults and changes drawn from the seed. */
const random: Scenario = {
  summary: 'faults of all kinds, drawn, while records change',
  settleMs: 90_000,
  play: (scene) => playRandom(scene, 2000),
}

const calm: Scenario = {
  summary: 'no faults: nobody may be doubted',
  settleMs: 15_000,
  play: (scene) => {
    const { simulation, checks } = scene
    checks.expects = { isFaultless: true, isHonest: true }
    bringUp(scene)
    keepChanging(simulation, { untilMs: simulation.nowMs + 20_000, everyMs: 100 })
    simulation.runFor(20_000)
  },
}

const wan: Scenario = {
  ...random,
  summary: 'as random, with delays of sites around the world',
  network: WAN,
}

const short: Scenario = {
  ...random,
  summary: 'as random, where dead nodes and deletions are forgotten after 20 s',
  engine: { retentionMs: 20_000, minSuspicionMs: 1000 },
  settleMs: 240_000,
}

const byzantine: Scenario = {
  summary: 'as random, where some members alter what they pass on',
  settleMs: 120_000,
  play: (scene) => {
    const { simulation, checks, nodes } = scene
    checks.expects = { isFaultless: false, isHonest: false }
    scene.stage.addHosts(nodes, 3)
    const liars = shuffled(simulation.random, simulation.hosts).slice(0, Math.ceil(nodes / 10))
    for (const host of liars) host.isByzantine = true
    playRandom(scene, 4000)
    for (const host of liars) host.isByzantine = false
  },
}

const split: Scenario = {
  summary: 'two halves that do not see each other for a minute',
  settleMs: 60_000,
  play: (scene) => {
    const { simulation } = scene
    bringUp(scene)
    const order = shuffled(simulation.random, simulation.hosts)
    const left = order.slice(0, order.length / 2)
    const right = order.slice(order.length / 2)
    const heals = [simulation.network.cut(left, right), simulation.network.cut(right, left)]
    keepChanging(simulation, { untilMs: simulation.nowMs + 60_000, everyMs: 200 })
    simulation.runFor(60_000)
    for (const heal of heals) heal()
  },
}

const restart: Scenario = {
  summary: 'all daemons end at once and start again within five seconds',
  settleMs: 60_000,
  play: (scene) => playRestart(scene, true),
}

const loss: Scenario = {
  summary: 'all machines are lost with their disks at once and come back as others',
  settleMs: 90_000,
  play: (scene) => playRestart(scene, false),
}

const rolling: Scenario = {
  summary: 'one daemon after the other restarts',
  settleMs: 30_000,
  play: (scene) => {
    const { simulation, stage } = scene
    bringUp(scene)
    for (const host of shuffled(simulation.random, simulation.hosts)) {
      stage.restart(host, { keepsDisk: true, afterMs: between(simulation.random, 100, 3000) })
      if (simulation.random.next() < 0.3) {
        simulation.publish(host, drawChanges(simulation.random, host))
      }
      simulation.runFor(500)
    }
    simulation.runFor(3000)
  },
}

const sleeper: Scenario = {
  summary: 'some daemons stand still for longer than deletions are remembered',
  engine: { retentionMs: 20_000, minSuspicionMs: 1000 },
  settleMs: 180_000,
  play: (scene) => {
    const { simulation } = scene
    bringUp(scene)
    const sleepers = shuffled(simulation.random, simulation.hosts).slice(0, 1 + scene.nodes / 10)
    for (const host of sleepers) simulation.pause(host, between(simulation.random, 25_000, 90_000))
    keepChanging(simulation, { untilMs: simulation.nowMs + 90_000, everyMs: 200 })
    simulation.runFor(91_000)
  },
}

const away: Scenario = {
  summary: 'a cut outlives the memory of deletions: both sides have forgotten each other',
  engine: { retentionMs: 20_000, minSuspicionMs: 1000 },
  settleMs: 180_000,
  play: (scene) => {
    const { simulation } = scene
    bringUp(scene)
    const side = new Set(
      someOf(simulation.random, simulation.hosts, between(simulation.random, 0.1, 0.5)),
    )
    const others = simulation.hosts.filter((host) => !side.has(host))
    const heals = [simulation.network.cut(side, others), simulation.network.cut(others, side)]
    const lastsMs = oneOf(simulation.random, [26_000, 50_000, 100_000])
    keepChanging(simulation, { untilMs: simulation.nowMs + lastsMs, everyMs: 200 })
    simulation.runFor(lastsMs)
    for (const heal of heals) heal()
  },
}

const flapping: Scenario = {
  summary: 'a few links open and close all the time, in one direction or both',
  settleMs: 30_000,
  play: (scene) => {
    const { simulation } = scene
    bringUp(scene)
    const endMs = simulation.nowMs + 30_000
    for (let count = 0; count < 5; count++) flapUntil(scene, endMs)
    keepChanging(simulation, { untilMs: endMs, everyMs: 100 })
    simulation.runUntil(endMs + 1000)
  },
}

const oneway: Scenario = {
  summary: 'some nodes send but do not hear, or hear but do not send',
  settleMs: 60_000,
  play: (scene) => {
    const { simulation } = scene
    bringUp(scene)
    const cuts = someOf(simulation.random, simulation.hosts, 0.1).map((host) =>
      simulation.random.next() < 0.5
        ? simulation.network.cut([host], simulation.hosts)
        : simulation.network.cut(simulation.hosts, [host]),
    )
    keepChanging(simulation, { untilMs: simulation.nowMs + 40_000, everyMs: 100 })
    simulation.runFor(40_000)
    for (const heal of cuts) heal()
  },
}

const lastword: Scenario = {
  summary:
    'the last changes before a crash reach one node alone; the owner goes on from older ones',
  settleMs: 30_000,
  play: (scene) => {
    const { simulation, stage } = scene
    const { network } = simulation
    bringUp(scene)
    const [owner, confidant, ...rest] = shuffled(simulation.random, simulation.hosts)
    if (owner === undefined || confidant === undefined) return
    const cut = (side: readonly Host[], others: readonly Host[]) => [
      network.cut(side, others),
      network.cut(others, side),
    ]
    const [fromOwner, fromConfidant] = [cut([owner], rest), cut([confidant], rest)]
    for (let count = 0; count < 5; count++) {
      simulation.publish(owner, drawChanges(simulation.random, owner))
      simulation.runFor(between(simulation.random, 100, 1000))
    }
    simulation.crash(owner, { keepsDisk: true })
    const apart = cut([confidant], [owner])
    for (const heal of fromOwner) heal()
    simulation.publish(owner, drawChanges(simulation.random, owner))
    stage.start(owner)
    simulation.runFor(15_000)
    simulation.publish(owner, drawChanges(simulation.random, owner))
    simulation.runFor(1000)
    for (const heal of [...fromConfidant, ...apart]) heal()
  },
}

const addresses: Scenario = {
  summary: 'names contend for few addresses under faults: all must give each the same',
  settleMs: 90_000,
  play: (scene) => {
    const { simulation, stage, nodes } = scene
    const plans = new Addresses(simulation)
    simulation.watchers.push(plans)
    scene.alsoAgree((living) => plans.disagreements(living))
    stage.addHosts(nodes, 0)
    stage.joinAll(1000)
    const untilMs = simulation.nowMs + between(simulation.random, 10_000, 60_000)
    repeat(simulation, { everyMs: 300, untilMs }, () => {
      const host = oneOf(simulation.random, simulation.hosts)
      plans.change(host, below(simulation.random, 1000))
    })
    repeat(simulation, { everyMs: 1000, untilMs: untilMs + 100_000 }, () => plans.tick())
    keepFailing({ stage, simulation, untilMs }, 2000, (text) => scene.say(text))
    simulation.runUntil(untilMs + 1000)
    stage.joinAll(1000)
    simulation.runFor(1500)
  },
}

/** All of them. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  calm,
  random,
  wan,
  short,
  byzantine,
  split,
  restart,
  loss,
  rolling,
  sleeper,
  away,
  flapping,
  oneway,
  lastword,
  addresses,
  evict,
}

function playRandom(scene: Scene, faultEveryMs: number): void {
  const { simulation, stage, nodes } = scene
  const { random: dice, network } = simulation
  if (simulation.hosts.length === 0) stage.addHosts(nodes, 3)
  stage.joinAll(oneOf(dice, [10, 1000, 10_000]))
  const untilMs = simulation.nowMs + between(dice, 10_000, 120_000)
  const before = network.settings
  network.settings = {
    ...before,
    duplicateRate: oneOf(dice, [0, 0.05]),
    reorderRate: oneOf(dice, [0, 0.1]),
  }
  keepChanging(simulation, { untilMs, everyMs: oneOf(dice, [50, 500, 5000]) })
  keepFailing({ stage, simulation, untilMs }, faultEveryMs, (text) => scene.say(text))
  simulation.runUntil(untilMs + 1000)
  network.settings = before
  stage.joinAll(1000)
  simulation.runFor(1500)
}

function playRestart(scene: Scene, keepsDisk: boolean): void {
  const { simulation, stage } = scene
  bringUp(scene)
  for (const host of stage.living) {
    if (simulation.random.next() < 0.2) {
      simulation.publish(host, drawChanges(simulation.random, host))
    }
  }
  simulation.runFor(between(simulation.random, 0, 100))
  for (const host of stage.living) {
    stage.restart(host, { keepsDisk, afterMs: between(simulation.random, 50, 5000) })
  }
  simulation.runFor(5500)
}

function flapUntil({ simulation }: Scene, endMs: number): void {
  const { random: dice, network } = simulation
  const [one, other] = shuffled(dice, simulation.hosts)
  if (one === undefined || other === undefined) return
  const isBothWays = dice.next() < 0.5
  let heals: readonly (() => void)[] = []
  const turn = (): void => {
    const isOpen = heals.length === 0
    for (const heal of heals) heal()
    heals = []
    if (simulation.nowMs >= endMs) return
    if (isOpen) {
      heals = [network.cut([one], [other]), ...(isBothWays ? [network.cut([other], [one])] : [])]
    }
    simulation.at(simulation.nowMs + between(dice, 50, 1500), turn)
  }
  turn()
}

/**
 * Dead nodes are evicted while others live, come back, sleep and are cut off. In the end nobody
 * knows those that are gone, and everybody knows those that live.
 */
import { suspicionMs } from '../../src/gossip/engine/membership/suspicion.ts'
import type { Eviction } from '../../src/gossip/engine/statements.ts'
import type { NodeId } from '../../src/model/node-id.ts'
import { bringUp } from './bring-up.ts'
import { below, between, oneOf, shuffled, someOf } from './dice.ts'
import type { Host } from './host.ts'
import type { Scenario, Scene } from './scenario.ts'
import { Violation } from './violation.ts'
import { keepChanging, repeat } from './workload.ts'

/** As `docs/gossip.md` has it: what anti-entropy takes, besides the suspicion time. */
const TOLD_WITHIN_MS = 15_000

/** The scenario. */
export const evict: Scenario = {
  summary: 'dead nodes are evicted while others return, sleep or are cut off',
  settleMs: 120_000,
  play: (scene) => {
    const { simulation } = scene
    bringUp(scene)
    const lastsMs = between(simulation.random, 50_000, 90_000)
    const untilMs = simulation.nowMs + lastsMs
    const gone = loseSome(scene, lastsMs / 2)
    disturb(scene, untilMs)
    repeat(simulation, { everyMs: 2000, untilMs }, () => issue(scene))
    repeat(simulation, { everyMs: 8000, untilMs }, () => issueFalsely(scene))
    keepChanging(simulation, { untilMs, everyMs: 200 })
    simulation.runUntil(untilMs)
    scene.stage.joinAll(1000)
    simulation.runFor(1500)
    const lost = gone.flatMap(({ node }) => node ?? [])
    for (const host of shuffled(simulation.random, scene.stage.living).slice(0, 2)) {
      for (const node of lost) simulation.input(host, { kind: 'forget', node })
    }
    const remembering = (living: readonly Host[]) =>
      living.flatMap((host) => remembered(host, lost))
    scene.alsoAgree(remembering)
    simulation.at(simulation.nowMs + forgottenWithinMs(scene), () => {
      const [line] = remembering(scene.stage.living)
      if (line !== undefined) throw new Violation('eviction', line)
    })
  },
}

/** Some crash or leave at drawn moments and never return. */
function loseSome({ simulation, stage }: Scene, withinMs: number): readonly Host[] {
  const { random, nowMs, hosts } = simulation
  const count = 1 + below(random, Math.max(1, hosts.length / 3))
  const gone = shuffled(random, hosts.slice(3)).slice(0, count)
  for (const host of gone) {
    simulation.at(nowMs + between(random, 0, withinMs), () => {
      host.isGone = true
      if (random.next() < 0.3) stage.leave(host)
      else simulation.crash(host, { keepsDisk: true })
    })
  }
  return gone
}

/** What happens to those that live: all of it ends before the quiet. */
function disturb(scene: Scene, untilMs: number): void {
  const { simulation, stage } = scene
  const { random } = simulation
  repeat(simulation, { everyMs: 10_000, untilMs: untilMs - 40_000 }, () => {
    const [host] = shuffled(random, stage.living)
    if (host === undefined || host.isGone) return
    const afterMs = between(random, 100, 40_000)
    const what = below(random, 4)
    if (what === 0) simulation.pause(host, afterMs)
    else if (what === 1) cutOff(scene, [host], afterMs)
    else if (what === 2) cutOff(scene, someOf(random, simulation.hosts, random.next()), afterMs)
    else stage.restart(host, { keepsDisk: random.next() < 0.8, afterMs })
  })
}

function cutOff({ simulation }: Scene, side: readonly Host[], forMs: number): void {
  const { network, hosts, nowMs } = simulation
  const others = hosts.filter((host) => !side.includes(host))
  const isBothWays = simulation.random.next() < 0.7
  const heals = [network.cut(side, others), ...(isBothWays ? [network.cut(others, side)] : [])]
  simulation.at(nowMs + forMs, () => {
    for (const heal of heals) heal()
  })
}

/** Up to three evict one that is silent, each in its own eyes, or try it with a living one. */
function issue({ simulation, stage }: Scene): void {
  const { random } = simulation
  const { node } = oneOf(random, simulation.hosts)
  if (node === undefined) return
  for (const host of shuffled(random, stage.living).slice(0, 1 + below(random, 3))) {
    simulation.input(host, { kind: 'forget', node })
  }
}

/** A member that does not keep to the rules evicts a living one, in an incarnation of its choice. */
function issueFalsely({ simulation, stage, checks }: Scene): void {
  const { random } = simulation
  const [liar, victim, ...others] = shuffled(random, stage.living)
  const notary = liar?.notary
  if (liar === undefined || notary === undefined || victim?.node === undefined) return
  const incarnation = (victim.engine?.incarnation ?? 0) + oneOf(random, [0, 0, 1, 1_000_000])
  const eviction = notary.sign<Eviction>({
    kind: 'eviction',
    subject: victim.node,
    incarnation,
    issuer: notary.node,
  })
  checks.oracle.sign(eviction)
  for (const host of [victim, ...others].slice(0, 1 + below(random, 4))) {
    const { endpoint } = liar
    simulation.input(host, { kind: 'received', from: notary.node, endpoint, messages: [eviction] })
  }
}

/** A lone accuser's suspicion takes the longest. */
function forgottenWithinMs({ simulation }: Scene): number {
  const nodes = simulation.hosts.length
  return suspicionMs(simulation.options.engineSettings, { accusers: 1, nodes }) + TOLD_WITHIN_MS
}

function remembered(host: Host, lost: readonly NodeId[]): readonly string[] {
  return lost
    .filter((node) => host.engine?.member(node) !== undefined)
    .map((node) => `${host} still knows ${node}, which was evicted`)
}

/** The parts of an engine and how they hang together. */
import { seededRandom } from '../../base/random.ts'
import type { Endpoint } from '../../model/endpoint.ts'
import type { NodeId } from '../../model/node-id.ts'
import { LocalHealth } from './detection/local-health.ts'
import { Prober } from './detection/prober.ts'
import { Relay } from './detection/relay.ts'
import { ProbeSchedule } from './detection/schedule.ts'
import type { Receivers } from './dispatch.ts'
import type { Ground } from './ground.ts'
import { Hints } from './hints.ts'
import { Evictions } from './membership/evictions.ts'
import { Joining } from './membership/joining.ts'
import { MemberRequests } from './membership/member-requests.ts'
import { Membership } from './membership/membership.ts'
import { Self } from './membership/self.ts'
import { StatementIntake } from './membership/statement-intake.ts'
import { Outbox } from './outbox.ts'
import { OwnRecords } from './records/own-records.ts'
import { Records } from './records/records.ts'
import { ENGINE_DEFAULTS, type EngineSettings } from './settings.ts'
import { Links } from './spread/links.ts'
import { MissingVersions } from './spread/missing.ts'
import { Rings } from './spread/rings.ts'
import { Spread } from './spread/spread.ts'
import type { Notary } from './statements.ts'
import { Sync } from './sync/sync.ts'
import { Timers } from './timers.ts'
import { Turn } from './turn.ts'

/** What an engine is made with. */
export interface EngineOptions {
  readonly notary: Notary
  /** Where others reach this node. */
  readonly endpoint: Endpoint
  /** The first to use; above all that this node used before. */
  readonly incarnation: number
  /** The first version of own records; above all that this node used before. */
  readonly firstVersion: number
  /** Of its dice. */
  readonly seed: number
  readonly settings?: EngineSettings
}

/** Everything that an engine is made of. */
export interface EngineParts extends Receivers {
  readonly ground: Ground
  /** Rings of those that are watched: not dead, not left. */
  readonly subjects: Rings
  /** Rings of those that news goes to: alive. */
  readonly peers: Rings
  readonly health: LocalHealth
  readonly records: Records
  readonly missing: MissingVersions
  readonly own: OwnRecords
  readonly self: Self
  readonly schedule: ProbeSchedule
}

/** How long forgotten nodes are refused, in retentions. */
const FORGOTTEN_RETENTIONS = 7

/** Makes the parts. They know each other by functions only; none runs before the first input. */
export function assemble(options: EngineOptions): EngineParts {
  const ground = groundOf(options)
  const { subjects, peers } = ringsOf(ground)
  const links = new Links(peers)
  const health = new LocalHealth()
  const records = new Records(ground)
  const missing = new MissingVersions(ground, { records, links })
  const members = new MemberRequests(ground)
  const spread: Spread = new Spread(ground, {
    ...{ links, records, missing },
    onOwnAhead: (version) => own.jumpAbove(version),
    onEarlierLife: () => own.onEarlierLife(),
    isSilent: () => !own.hasSpoken,
  })
  const own = new OwnRecords(ground, {
    firstVersion: options.firstVersion,
    records,
    isJoined: () => joining.isComplete,
    spread: (delta) => spread.spread(delta),
  })
  const { endpoint, incarnation } = options
  const flood: Spread['flood'] = (statement, source) => spread.flood(statement, source)
  const self = new Self(ground, { endpoint, incarnation, health, flood })
  const forget = (node: NodeId) => forgetNode(parts, node, { isRefused: true })
  const evictions = new Evictions(ground, {
    ...{ flood, forget },
    refute: (evicted, issuer) => self.refute(evicted, issuer),
    want: (peer, node) => members.want(peer, [node]),
    probe: (node) => prober.probe(node),
  })
  const intake: StatementIntake = new StatementIntake(ground, {
    flood,
    refute: (doubted, accuser) => self.refute(doubted, accuser),
    want: (peer, node) => members.want(peer, [node]),
    onBack: (node) => sync.open(node),
    forget,
    isEvicted: (node) => evictions.isEvicted(node),
    onForgotten: (peer, { node, incarnation: offered }) =>
      void evictions.answer(peer, node, offered),
  })
  const prober = new Prober(ground, {
    health,
    takeNews: (node) => links.takeNews(node),
    relays: () => peers.all,
    accuse: (node) => intake.accuse(node),
  })
  const sync: Sync = new Sync(ground, {
    missing,
    onEnd: () => joining.onSynced(),
    isEvicted: (peer, { node, incarnation: held }) => evictions.answer(peer, node, held),
  })
  const joining = joiningOf(ground, { self, intake, sync, missing, own })
  const parts: EngineParts = {
    ...{ ground, subjects, peers, health, records, missing, own, self },
    ...{ prober, spread, sync, intake, joining, members, evictions },
    hints: new Hints(ground),
    schedule: new ProbeSchedule(ground, { prober, health, rings: subjects }),
    relay: new Relay(ground),
    answerJoin: (to) => ground.outbox.bulk(to, joining.welcome()),
  }
  return parts
}

/**
 * Forgets a node everywhere.
 *
 * @param isRefused for a while it comes back only with a higher incarnation
 */
export function forgetNode(
  { ground, intake, prober, records, missing }: EngineParts,
  node: NodeId,
  { isRefused }: { readonly isRefused: boolean },
): void {
  const { turn, outbox, settings, membership } = ground
  intake.drop(node)
  prober.drop(node)
  records.drop(node)
  missing.drop(node)
  outbox.drop(node)
  const untilMs = turn.nowMs + FORGOTTEN_RETENTIONS * settings.retentionMs
  membership.forget(node, isRefused ? untilMs : undefined)
  turn.emit({ kind: 'forgotten', node })
}

/** Whether everyone else looks doubted or dead. */
export function isIsolated({ membership }: Ground): boolean {
  const others = membership.size - 1 - membership.leftCount
  return others > 0 && membership.suspicionCount >= others
}

function groundOf({ notary, seed, settings = ENGINE_DEFAULTS }: EngineOptions): Ground {
  const turn = new Turn()
  const timers = new Timers(() => turn.nowMs)
  return {
    self: notary.node,
    settings,
    notary,
    random: seededRandom(seed),
    turn,
    timers,
    outbox: new Outbox(settings, timers),
    membership: new Membership((node) => turn.touch(node), settings.maxAccusers),
  }
}

function ringsOf({ self, membership }: Ground): Record<'subjects' | 'peers', Rings> {
  const nodes = () => membership.nodes()
  const isWatched = (node: NodeId) => {
    const state = membership.stateOf(node)
    return state === 'alive' || state === 'doubted'
  }
  const isAlive = (node: NodeId) => membership.stateOf(node) === 'alive'
  return {
    subjects: new Rings(self, { nodes, isEligible: isWatched }),
    peers: new Rings(self, { nodes, isEligible: isAlive }),
  }
}

function joiningOf(
  ground: Ground,
  parts: Pick<EngineParts, 'self' | 'intake' | 'sync' | 'missing' | 'own'>,
): Joining {
  const { self, intake, sync, missing, own } = parts
  return new Joining(ground, {
    ownAnnouncement: () => self.announcement,
    take: (announcements, from) => {
      for (const announcement of announcements) intake.onAnnouncement(from, announcement)
    },
    sync: (peer) => sync.open(peer),
    isBehind: () => missing.size > 0,
    isIsolated: () => isIsolated(ground),
    onComplete: () => {
      ground.turn.effect({ kind: 'complete' })
      own.onEarlierLife()
    },
  })
}

/** Who leads the masters, and how sure we are of it. */
import type { Clock } from '../../base/clock.ts'
import type { Log } from '../../base/log.ts'
import type { Random } from '../../base/random.ts'
import { type Closeable, Scope } from '../../base/scope.ts'
import type { MesosCredential } from '../credential.ts'
import { MesosConnections } from '../http.ts'
import { exhibitorServers } from './exhibitor.ts'
import {
  type LeaderEvents,
  type LeaderListener,
  type LeaderStatus,
  LeaderView,
} from './leader-view.ts'
import { LIST_TIMING, ListFollower, type ListTiming } from './lists.ts'
import type { MasterAddress } from './master-address.ts'
import { readMasterList, watchFile } from './master-list.ts'
import { describeMasters, type Masters } from './masters.ts'
import { askOver } from './who-leads.ts'
import {
  type EnsembleServers,
  ZOOKEEPER_TIMING,
  ZooKeeperFollower,
  type ZooKeeperTiming,
} from './zookeeper.ts'
import { type OpenSession, openZooKeeperSession } from './zookeeper-session.ts'

/** Follows the leading master until closed. */
export interface LeaderSource extends Closeable {
  /** The last known leader; undefined: never known, or known that there is none. */
  readonly current: MasterAddress | undefined
  /** Listens to changes from now on. @returns a function that ends it */
  onChange(listener: LeaderListener): () => void
  status(): LeaderStatus
  /** The leader does not answer as one: look again now instead of at the next reading. */
  refresh(): void
  close(): Promise<void>
}

/** What {@link openLeaderSource} works with. */
export interface LeaderSourceOptions {
  readonly masters: Masters
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Whether masters that ZooKeeper or a master_list names speak TLS; default: no. */
  readonly isTls?: boolean
  /** Sent to masters of a list when they are asked who leads. */
  readonly credential?: MesosCredential
  /** Certificates (PEM) that may sign those of masters. */
  readonly caPem?: string
  readonly events?: LeaderEvents
  /** For tests. */
  readonly openSession?: OpenSession
  readonly zooKeeperTiming?: ZooKeeperTiming
  readonly listTiming?: ListTiming
  /** After this long Exhibitor or a master of a list does not count as answering. */
  readonly answerTimeoutMs?: number
}

const ANSWER_TIMEOUT_MS = 3_000

interface Follower {
  run(signal: AbortSignal): Promise<void>
  refresh(): void
}

/** Starts to follow the leading master. Nothing is awaited: it is unknown at first. */
export function openLeaderSource(options: LeaderSourceOptions): LeaderSource {
  const log = options.log.child('mesos-leader')
  const scope = new Scope((error) => log.error('following the leader failed', { error }))
  const view = new LeaderView({
    source: describeMasters(options.masters),
    clock: options.clock,
    log,
    ...(options.events === undefined ? {} : { events: options.events }),
  })
  const follower = followerOf(options, view, scope)
  scope.run((signal) => follower.run(signal))
  return {
    get current() {
      return view.status.leader
    },
    onChange: (listener) => view.onChange(listener),
    status: () => view.status,
    refresh: () => follower.refresh(),
    close: () => scope.close(),
  }
}

function followerOf(options: LeaderSourceOptions, view: LeaderView, scope: Scope): Follower {
  const { masters, clock, isTls = false } = options
  switch (masters.kind) {
    case 'zookeeper': {
      const { servers, path, digest } = masters
      const credentials = digest === undefined ? {} : { digest }
      return followZooKeeper(options, view, { servers: async () => servers, path, ...credentials })
    }
    case 'exhibitor': {
      const timeoutMs = options.answerTimeoutMs ?? ANSWER_TIMEOUT_MS
      const servers = exhibitorServers({ url: masters.url, clock, timeoutMs })
      return followZooKeeper(options, view, { servers, path: masters.path })
    }
    case 'addresses':
      return followList(options, view, { masters: async () => masters.masters, scope })
    case 'file': {
      const read = () => readMasterList(masters.path, isTls)
      const follower = followList(options, view, { masters: read, scope })
      scope.own(watchFile(masters.path, () => follower.refresh()))
      return follower
    }
  }
}

interface Ensemble {
  readonly servers: EnsembleServers
  readonly path: string
  readonly digest?: string
}

function followZooKeeper(options: LeaderSourceOptions, view: LeaderView, ensemble: Ensemble) {
  const { clock, random } = options
  return new ZooKeeperFollower({
    ...ensemble,
    view,
    clock,
    random,
    isTls: options.isTls ?? false,
    openSession: options.openSession ?? openZooKeeperSession,
    timing: options.zooKeeperTiming ?? ZOOKEEPER_TIMING,
  })
}

interface List {
  readonly masters: () => Promise<readonly MasterAddress[]>
  readonly scope: Scope
}

function followList(options: LeaderSourceOptions, view: LeaderView, { masters, scope }: List) {
  const { clock, random, credential } = options
  const ask = askOver({
    connections: scope.own(new MesosConnections(options.caPem)),
    ...(credential === undefined ? {} : { credential }),
    clock,
    timeoutMs: options.answerTimeoutMs ?? ANSWER_TIMEOUT_MS,
  })
  const timing = options.listTiming ?? LIST_TIMING
  return new ListFollower({ view, masters, ask, clock, random, timing })
}

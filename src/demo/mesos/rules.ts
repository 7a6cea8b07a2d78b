/**
 * What differs between the versions of Mesos that are simulated.
 *
 * **Source:** Apache Mesos CHANGELOG and `src/master/master.cpp` of the branches 1.4.x to 1.11.x;
 * the numbers of the issues stand beside the rules
 */

/** A simulated branch; the rules are those of one release of it, see {@link rulesOf}. */
export type MesosVersion = '1.4' | '1.5' | '1.6' | '1.7' | '1.8' | '1.9' | '1.11'

/** All simulated branches, oldest first. */
export const MESOS_VERSIONS: readonly MesosVersion[] = [
  '1.4',
  '1.5',
  '1.6',
  '1.7',
  '1.8',
  '1.9',
  '1.11',
]

/** The rules of one release. */
export interface MesosRules {
  /** The release, e.g. `1.5.0`. */
  readonly release: string
  /** HEARTBEAT and `heartbeat_interval_seconds`; since 1.5.0. */
  readonly hasHeartbeats: boolean
  /** The first HEARTBEAT may come before SUBSCRIBED; before 1.5.1 (MESOS-8641). */
  readonly mayBeatBeforeSubscribed: boolean
  /**
   * TASK_UPDATED for each status whose state differs from the last one stored; since 1.7.0. Before:
   * only when the newest state differs from the stored one (MESOS-9000).
   */
  readonly announcesEachStatus: boolean
  /** TASK_UPDATED for results of health checks; since 1.4.2, 1.5.2, 1.6.1 (MESOS-8942). */
  readonly announcesHealth: boolean
  /** FRAMEWORK_ADDED for frameworks that an agent brings back; since 1.7.3, 1.8.2, 1.9.0 (MESOS-9785). */
  readonly announcesRecoveredFrameworks: boolean
  /** Tasks of frameworks that are not PARTITION_AWARE survive unreachability; since 1.5.0. */
  readonly keepsUnawareTasks: boolean
  /** MARK_AGENT_GONE; since 1.5.0. */
  readonly marksAgentsGone: boolean
  /** TASK_GONE_BY_OPERATOR even for frameworks that do not know it; before 1.9.1 (MESOS-9965). */
  readonly saysGoneToAll: boolean
  /** FRAMEWORK_UPDATED for an update without a change; before 1.11.0 (MESOS-10166). */
  readonly announcesNoChange: boolean
  /** More subscribers than this close the oldest; since 1.8.0. */
  readonly maxSubscribers: number
  /** JSON has maps as lists of keys and values; before 1.9.0 (MESOS-9901). */
  readonly writesMapsAsLists: boolean
  /** FrameworkInfo has the map `offer_filters`; since 1.8.0 (MESOS-9523). */
  readonly hasOfferFilters: boolean
  /** Tasks have the map `limits`; since 1.10.0. */
  readonly hasTaskLimits: boolean
}

const OLDEST: MesosRules = {
  release: '1.4.0',
  hasHeartbeats: false,
  mayBeatBeforeSubscribed: false,
  announcesEachStatus: false,
  announcesHealth: false,
  announcesRecoveredFrameworks: false,
  keepsUnawareTasks: false,
  marksAgentsGone: false,
  saysGoneToAll: true,
  announcesNoChange: true,
  maxSubscribers: Number.POSITIVE_INFINITY,
  writesMapsAsLists: true,
  hasOfferFilters: false,
  hasTaskLimits: false,
}
const R15: MesosRules = {
  ...OLDEST,
  release: '1.5.0',
  hasHeartbeats: true,
  mayBeatBeforeSubscribed: true,
  keepsUnawareTasks: true,
  marksAgentsGone: true,
}
const R16: MesosRules = {
  ...R15,
  release: '1.6.1',
  mayBeatBeforeSubscribed: false,
  announcesHealth: true,
}
const R17: MesosRules = { ...R16, release: '1.7.0', announcesEachStatus: true }
const R18: MesosRules = {
  ...R17,
  release: '1.8.0',
  maxSubscribers: 1000,
  hasOfferFilters: true,
}
const R19: MesosRules = {
  ...R18,
  release: '1.9.0',
  announcesRecoveredFrameworks: true,
  writesMapsAsLists: false,
}
const R111: MesosRules = {
  ...R19,
  release: '1.11.0',
  saysGoneToAll: false,
  announcesNoChange: false,
  hasTaskLimits: true,
}

const RULES: Readonly<Record<MesosVersion, MesosRules>> = {
  '1.4': OLDEST,
  '1.5': R15,
  '1.6': R16,
  '1.7': R17,
  '1.8': R18,
  '1.9': R19,
  '1.11': R111,
}

/** The rules of a branch. */
export function rulesOf(version: MesosVersion): MesosRules {
  return RULES[version]
}

/**
 * The one place that knows every capability: who feeds whom, and in which order they start. They
 * stop in the opposite order, and stopping leaves the data path as it is.
 */
import { collectDefaultMetrics, Registry } from 'prom-client'
import { startAdmin } from '../admin/admin.ts'
import type { Clock } from '../base/clock.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import type { Scope } from '../base/scope.ts'
import type { DaemonConfig } from '../config/config.ts'
import { type Dns, startDns } from '../dns/dns.ts'
import { type Gossip, startGossip } from '../gossip/gossip.ts'
import {
  type L4lb,
  openPlane,
  selectPlane,
  startAdvertising,
  startClusterBackends,
  startL4lb,
  startPlaneSwitch,
  startPublishing,
} from '../l4lb/l4lb.ts'
import { followMasters, type Mesos, startMesos, watchSources } from '../mesos/mesos.ts'
import type { Ip } from '../model/ip.ts'
import { forwardGoneAgents } from './gone-agents.ts'
import { forwardHints } from './hints.ts'
import { daemonResources } from './resources.ts'

/** The world that a daemon runs in. */
export interface DaemonParts {
  readonly config: DaemonConfig
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  /** Ends the daemon. */
  readonly scope: Scope
}

/** A running daemon. */
export interface Daemon {
  readonly mesos: Mesos
  readonly gossip: Gossip
  readonly l4lb: L4lb
  readonly dns: Dns
  readonly adminAddress: string
}

/** Each sample of the event loop's lag is a wake-up; the default of 10 ms costs a third of a percent. */
const LAG_SAMPLE_MS = 500

/**
 * Starts the daemon.
 *
 * @throws NavstarError `PLANE_UNAVAILABLE`, `ADMIN_BIND_FAILED`, `NATIVE_MISSING`, and what
 * `startGossip` throws
 */
export async function startDaemon(parts: DaemonParts): Promise<Daemon> {
  const { config, clock, random, log, scope } = parts
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LAG_SAMPLE_MS })
  const world = { clock, random, log, registry, scope }

  const { stateDirectory } = config.gossip
  const selection = await selectPlane(config.l4lb, stateDirectory)
  const { kind, reason, why, note } = selection.choice
  log.info('data plane chosen', { plane: kind, reason, why, ...(note && { note }) })
  const mesos = startMesos({ ...world, options: config.mesos })
  const nodeIp = (): Ip | undefined => config.nodeIp ?? mesos.agentIp()
  const { ranges, addressDrainMs: drainMs, zone } = config.l4lb
  const advertising = startAdvertising({ tasks: mesos.tasks, zone, log, scope })
  const own = advertising.records
  const gossip = await startGossip({ ...world, options: config.gossip, address: nodeIp })
  scope.defer(gossip.onHint(mesos.pollSoon))
  const masters =
    config.mesos.masters && followMasters(config.mesos.masters, { ...world, options: config.mesos })
  if (masters !== undefined) forwardHints({ masters, mesos, gossip, nodeIp, scope })
  forwardGoneAgents({ masters, mesos, gossip, nodeIp, scope })
  watchSources({ options: config.mesos, mesos, masters, clock, registry })
  const cluster = startClusterBackends({ ...world, own, gossip, ranges })
  const { addresses } = cluster
  const publishing = await startPublishing({
    ...world,
    ...{ own, addresses, gossip },
    options: config.l4lb,
    stateDirectory,
  })
  gossip.publish(publishing.records)
  const openOptions = { options: config.l4lb, nodeIp, log }
  const plane = await openPlane(kind, { ...openOptions, clock })
  const sources = [advertising, cluster, publishing]
  const problems = () => sources.flatMap((source) => source.problems())
  const { records } = cluster
  const l4lb = startL4lb({
    ...world,
    plane,
    ranges,
    records,
    addresses,
    problems,
    nodeIp,
    drainMs,
    zone,
    onDoubt: (node) => gossip.report(node),
  })
  const planeSwitch = startPlaneSwitch({ ...world, ...openOptions, plane, l4lb, selection })
  const dns = startDns({ ...world, options: config.dns, names: l4lb.names })
  const resources = daemonResources({
    ...{ config, mesos, masters, gossip, l4lb, dns, problems, planeSwitch },
    nowMs: () => clock.nowMs(),
    backends: records,
  })
  const admin = await startAdmin({ options: config.admin, registry, resources, log, scope })
  log.info('navstar is running', { admin: admin.address, plane: kind })
  return { mesos, gossip, l4lb, dns, adminAddress: admin.address }
}

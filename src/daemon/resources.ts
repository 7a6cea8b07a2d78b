/** What the daemon tells over HTTP; the CLI prints the same. */
import type { Resources } from '../admin/admin.ts'
import type { NavstarError } from '../base/error.ts'
import type { Table } from '../base/table.ts'
import type { DaemonConfig } from '../config/config.ts'
import type { Dns } from '../dns/dns.ts'
import type { Gossip } from '../gossip/gossip.ts'
import { type L4lb, type PlaneSwitch, planServices } from '../l4lb/l4lb.ts'
import type { FollowedMasters, Mesos } from '../mesos/mesos.ts'
import type { BackendRecord, BackendRecordKey } from '../model/backend-record.ts'
import { type MesosStatusView, mesosStatusView } from './mesos-status.ts'
import { type GossipStatusView, gossipStatusView, nodeResources } from './node-resources.ts'
import { type PlanReport, problemText } from './plan-report.ts'
import { planeResources } from './plane-resources.ts'
import { type ProblemView, problemView } from './problem.ts'
import { explanationResources } from './task-explanations.ts'
import { vipResources } from './vip-resources.ts'

/** The answer of `/v1/navstar/status`. */
export interface StatusView {
  readonly plane: { readonly kind: string; readonly reason: string }
  /** Whether the kernel is as it should be, and what stands in the way. */
  readonly l4lb: { readonly isInSync: boolean; readonly lastError?: ProblemView }
  readonly gossip: GossipStatusView
  readonly mesos: MesosStatusView
  readonly agentIp?: string | undefined
  readonly dns: readonly { readonly address: string; readonly state: string }[]
}

/** The capabilities that have something to tell. */
export interface ResourceParts {
  readonly config: DaemonConfig
  readonly mesos: Mesos
  /** Undefined without `--masters`. */
  readonly masters: FollowedMasters | undefined
  readonly gossip: Gossip
  readonly l4lb: L4lb
  readonly dns: Dns
  /** Of all nodes. */
  readonly backends: Table<BackendRecordKey, BackendRecord>
  /** What of this node's tasks or of others' records cannot be used. */
  readonly problems: () => readonly NavstarError[]
  readonly planeSwitch: PlaneSwitch
  readonly nowMs: () => number
}

/** The resources of the admin server. */
export function daemonResources(parts: ResourceParts): Resources {
  const { config, l4lb, problems, nowMs } = parts
  return {
    ...vipResources({ l4lb, problems, zone: config.dns.zone, nowMs }),
    '/v1/navstar/status': () => statusView(parts),
    '/v1/navstar/plan': () => planReport(parts),
    ...planeResources(parts),
    ...nodeResources(parts.gossip),
    ...explanationResources(parts),
  }
}

/** What the daemon wants against what the kernel has now; empty while all is well. */
async function planReport(parts: ResourceParts): Promise<PlanReport> {
  const { config, mesos, l4lb, planeSwitch, problems } = parts
  const { kind, reason } = planeSwitch.choice
  const services = new Map(l4lb.services.snapshot.rows)
  const nodeIp = () => config.nodeIp ?? mesos.agentIp()
  const plan = await planServices(kind, { options: config.l4lb, nodeIp, services })
  const all = [...problems(), ...l4lb.problems()]
  const plane = { kind, reason }
  return { plane, ...plan, problems: all.map(problemText) }
}

function statusView(parts: ResourceParts): StatusView {
  const { config, mesos, masters, gossip, l4lb, dns, planeSwitch } = parts
  const { kind, reason } = planeSwitch.choice
  const { lastError, ...sync } = l4lb.status()
  return {
    plane: { kind, reason },
    l4lb: { ...sync, ...(lastError && { lastError: problemView(lastError) }) },
    gossip: gossipStatusView(gossip),
    mesos: mesosStatusView({ agentUrl: config.mesos.agentUrl, status: mesos.status(), masters }),
    agentIp: mesos.agentIp(),
    dns: dns.addresses(),
  }
}

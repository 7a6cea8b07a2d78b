/** Which data plane serves VIPs on this host, why, and what each of the others lacks. */
import { fetchAdmin } from '../admin/client.ts'
import type { DaemonConfig } from '../config/config.ts'
import { selectPlane, tellPlanes } from '../l4lb/l4lb.ts'
import { type Diagnosis, pass } from './diagnosis.ts'
import { type PlaneView, planeViewOf } from './plane-view.ts'

/** A line for each plane, and one for the chosen one: by the daemon if it runs, else as it would. */
export async function checkPlanes(config: DaemonConfig): Promise<Diagnosis[]> {
  const running = await askDaemon(config)
  const view = running ?? (await viewWithoutDaemon(config))
  const chosen = `${view.kind}: ${view.why}${view.note === undefined ? '' : ` (${view.note})`}`
  return [
    ...view.planes.map(planeDiagnosis),
    pass(running === undefined ? 'plane that a daemon would choose' : 'plane chosen', chosen),
  ]
}

async function askDaemon({ admin }: DaemonConfig): Promise<PlaneView | undefined> {
  try {
    return (await fetchAdmin(admin.listen, '/v1/navstar/plane')) as PlaneView
  } catch {
    return undefined // another check tells why
  }
}

async function viewWithoutDaemon({ l4lb, gossip }: DaemonConfig): Promise<PlaneView> {
  const { choice, probes } = await selectPlane(l4lb, gossip.stateDirectory)
  const planes = await tellPlanes(probes, { options: l4lb, nodeIp: () => undefined })
  return planeViewOf({ choice, planes, retired: [] })
}

/** E.g. `plane nftables: works, not chosen: nf_tables …; lacks algorithms rr, maglev`. */
export function planeDiagnosis({
  kind,
  state,
  reason,
  lacks,
}: PlaneView['planes'][number]): Diagnosis {
  const check = `plane ${kind}`
  if (state === 'unusable') {
    return { check, verdict: 'warn', found: reason, hint: 'Another plane can serve VIPs.' }
  }
  const lack = lacks.length === 0 ? '' : `; lacks ${lacks.join('; ')}`
  return pass(check, `${state === 'serves' ? 'chosen' : 'works, not chosen'}: ${reason}${lack}`)
}

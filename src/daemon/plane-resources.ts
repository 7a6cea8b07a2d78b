/** What the daemon tells of its data plane over HTTP, and how it is told to take another one. */
import type { Resources } from '../admin/admin.ts'
import { NavstarError } from '../base/error.ts'
import type { DaemonConfig } from '../config/config.ts'
import {
  type PlaneKind,
  type PlaneSwitch,
  type PlaneSwitched,
  planeKinds,
  tellPlanes,
  tryPlanes,
} from '../l4lb/l4lb.ts'
import { type PlaneView, planeViewOf } from './plane-view.ts'

/** The answer of `POST /v1/navstar/plane/switch`; the body is `{ "kind": "nftables" }`. */
export type PlaneSwitchedView = PlaneSwitched

/** What is told about. */
export interface PlaneParts {
  readonly config: DaemonConfig
  readonly planeSwitch: PlaneSwitch
}

/** The resources about the plane. */
export function planeResources(parts: PlaneParts): Resources {
  return {
    '/v1/navstar/plane': () => planeView(parts),
    'POST /v1/navstar/plane/switch': (_query, body): Promise<PlaneSwitchedView> =>
      parts.planeSwitch.switchTo(wantedOf(body)),
  }
}

async function planeView({ config, planeSwitch }: PlaneParts): Promise<PlaneView> {
  const probes = await tryPlanes(config.l4lb)
  const planes = await tellPlanes(probes, { options: config.l4lb, nodeIp: () => undefined })
  const { choice, retired } = planeSwitch
  return planeViewOf({ choice, planes, retired })
}

function wantedOf(body: unknown): 'auto' | PlaneKind {
  const { kind } = (body ?? {}) as { readonly kind?: unknown }
  const wanted = (['auto', ...planeKinds] as const).find((each) => each === kind)
  if (wanted !== undefined) return wanted
  const attempt = `switch to plane '${String(kind).slice(0, 40)}'`
  const cause = `known are auto, ${planeKinds.join(', ')}`
  throw new NavstarError('ADMIN_REQUEST_INVALID', { attempt, cause })
}

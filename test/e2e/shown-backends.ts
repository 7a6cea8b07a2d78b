/** The backends of the VIP `web` as `navstar vips show web` has them. */
import type { BackendView, VipDetailsView } from '../../src/daemon/vip-resources.ts'
import type { ClusterHost } from '../../src/demo/host/cluster-host.ts'

const PATH = '/v1/navstar/vips/show?name=web'

/** All of them, of both families. */
export async function shownBackends(host: ClusterHost): Promise<readonly BackendView[]> {
  return backendsIn(await host.waitFor(PATH))
}

/** Waits until something is said of each of them. */
export async function untilShown(
  host: ClusterHost,
  isWanted: (backend: BackendView) => boolean,
): Promise<void> {
  await host.waitFor(PATH, (text) => backendsIn(text).every(isWanted))
}

function backendsIn(text: string): readonly BackendView[] {
  return (JSON.parse(text) as VipDetailsView).vips.flatMap(({ backends }) => backends)
}

/** Kills the daemon with −9 again and again while clients go on asking. */
import type { LoadReport } from '../../src/demo/load/load-report.ts'
import { openCluster, startBackends, startLoad } from './cluster.ts'

/** What a run gave. */
export interface KillReport {
  readonly kills: number
  /** Requests from the host and from inside a container. */
  readonly loads: readonly LoadReport[]
  /** Kernel operations that restarted daemons found necessary, over all starts. */
  readonly operationsAfterStart: number
}

/** Runs kills while `goOn(kills so far)` says so. */
export async function killUnderLoad(
  plane: 'ebpf' | 'nftables',
  goOn: (kills: number) => boolean,
): Promise<KillReport> {
  const cluster = await openCluster({ containers: 3, plane })
  const { host } = cluster
  try {
    const address = await startBackends(cluster, 3)
    const loads = [
      await startLoad(host, `http://${address}/`, { clients: 2 }),
      await startLoad(host, `http://${address}/`, { clients: 2, container: 1 }),
    ]
    let kills = 0
    let operationsAfterStart = 0
    for (; goOn(kills); kills++) {
      await host.killDaemon()
      await host.startDaemon()
      operationsAfterStart += await cluster.metric('navstar_l4lb_operations_total')
    }
    return {
      kills,
      operationsAfterStart,
      loads: await Promise.all(loads.map((load) => load.stop())),
    }
  } finally {
    await cluster.close()
  }
}

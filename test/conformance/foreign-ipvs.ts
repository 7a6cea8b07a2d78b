/** Objects of others beside those of plane `ipvs`. */
import { run } from '../../src/demo/run.ts'
import type { Rig } from './rig.ts'

/** One has the address of a VIP of ours; one has a flag that ours have too, but not the one that counts. */
const COMMANDS = [
  'ipvsadm -A -t 11.4.0.1:8443 -s rr',
  'ipvsadm -a -t 11.4.0.1:8443 -r 172.30.0.13:9 -m -w 3',
  'ipvsadm -A -u 192.0.2.9:53 -s sh -b sh-fallback,sh-port -p 30',
  'ipvsadm -A -f 7 -s wlc',
  'ip route add local 192.0.2.7/32 dev lo table local proto static',
]

/** Makes services of IPVS, and a local route. */
export async function addForeignServices(rig: Rig): Promise<void> {
  for (const command of COMMANDS) await inHost(rig, command)
}

/** All that can be read of them. */
export async function readForeignServices(rig: Rig): Promise<object> {
  const lines = (await inHost(rig, 'ipvsadm -Sn')).split('\n')
  const routes = (await inHost(rig, 'ip route show table local')).split('\n')
  return {
    services: lines.filter((line) => /:8443 |192\.0\.2\.9|-f 7/.test(line)).sort(),
    routes: routes.filter((line) => line.includes('192.0.2.7')),
  }
}

function inHost({ places }: Rig, command: string): Promise<string> {
  const namespace = `--net=${places.namespacePath('host')}`
  return run('nsenter', [namespace, ...command.split(' ')])
}

/** Kernel objects of others beside the plane's own: they must stay as they are, byte for byte. */
import { rm } from 'node:fs/promises'
import { run } from '../../src/demo/run.ts'
import { inHost } from './damage.ts'
import { addForeignServices, readForeignServices } from './foreign-ipvs.ts'
import { ADDRESSES, BRIDGE } from './network.ts'
import type { Rig } from './rig.ts'

/** The port of the containers' bridge address that the foreign table translates to container 1. */
export const FOREIGN_PORT = 7777

/** Its rules for 11.4.0.1 come after ours, as a host port's would that is one of a VIP too. */
const TABLE = `table inet foreign {
  map ports { type inet_service : ipv4_addr . inet_service; elements = { 7 : 192.0.2.1 . 7 }; }
  set mine { type ipv4_addr; elements = { 11.4.0.1, 192.0.2.9 }; }
  chain prerouting {
    type nat hook prerouting priority -100;
    ip daddr ${BRIDGE[4]} udp dport ${FOREIGN_PORT} dnat ip to ${ADDRESSES.c1[4]}:8080
    ip daddr 11.4.0.1 tcp dport 80 dnat ip to ${ADDRESSES.c3[4]}:9
    tcp dport 80 fib daddr type local dnat ip to ${ADDRESSES.c3[4]}:9
  }
  chain output { type nat hook output priority -100; ip daddr 11.4.0.1 tcp dport 80 dnat ip to ${ADDRESSES.c3[4]}:9; }
  chain forward { type filter hook forward priority 0; policy accept; ct state invalid drop; }
}`

const PROGRAM = `
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
SEC("cgroup/connect4") int foreign(struct bpf_sock_addr *context) { return 1; }
char terms[] SEC("license") = "Apache-2.0";
`

/**
 * Makes a table in the host's namespace, and a program on the cgroup that the plane serves; beside
 * plane `ipvs`, whose kernel may have neither, services of IPVS and a route.
 */
export async function addForeign(rig: Rig): Promise<void> {
  if (rig.kind === 'ipvs') return addForeignServices(rig)
  await inHost(rig, 'nft', TABLE)
  const { places } = rig
  const object = `/tmp/nsv-conf-${process.pid}.o`
  await run(
    'clang',
    [
      '-O2',
      '-target',
      'bpf',
      '-I/usr/include/x86_64-linux-gnu',
      '-c',
      '-o',
      object,
      '-x',
      'c',
      '-',
    ],
    PROGRAM,
  )
  try {
    await run('bpftool', ['prog', 'load', object, programPin(rig), 'type', 'cgroup/connect4'])
  } finally {
    await rm(object, { force: true })
  }
  const attach = ['cgroup', 'attach', places.inside, 'connect4', 'pinned', programPin(rig), 'multi']
  await run('bpftool', attach)
}

/** All that can be read of them. */
export async function readForeign(rig: Rig): Promise<object> {
  if (rig.kind === 'ipvs') return readForeignServices(rig)
  const shown = JSON.parse(await run('bpftool', ['-j', 'prog', 'show', 'pinned', programPin(rig)]))
  const cgroup = JSON.parse(await run('bpftool', ['-j', 'cgroup', 'show', rig.places.inside]))
  return {
    table: await inHost(rig, 'nft', '-a', '-j', 'list', 'table', 'inet', 'foreign'),
    program: shown,
    instructions: await run('bpftool', ['prog', 'dump', 'xlated', 'pinned', programPin(rig)]),
    attachment: (cgroup as { id: number }[]).filter(({ id }) => id === shown.id),
  }
}

function programPin({ places }: Rig): string {
  return `${places.pinDirectory}/foreign`
}

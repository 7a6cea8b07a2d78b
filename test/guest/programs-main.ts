/** Loads and attaches the eBPF plane's programs in a guest: verifiers of other kernels are stricter. */
import { mkdir } from 'node:fs/promises'
import { openEbpfKernel } from '../../src/l4lb/planes/ebpf/kernel.ts'
import { PROGRAMS } from '../../src/l4lb/planes/ebpf/plane.ts'

const cgroup = '/sys/fs/cgroup/nsv-guest'
await mkdir(cgroup)
const kernel = await openEbpfKernel({ cgroup, pinDirectory: '/sys/fs/bpf/nsv-guest' })
for (const program of PROGRAMS) await kernel.attach(program)
console.log(`${PROGRAMS.length} programs`)
kernel.close()

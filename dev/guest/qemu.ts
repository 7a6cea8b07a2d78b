/** Debian's kernel in QEMU, emulated: IPVS, nf_tables and eBPF with BTF side by side, on two CPUs. */
import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { type Contained, startContained } from './contained.ts'
import type { DebianKernel } from './debian-kernel.ts'
import type { GuestKernel } from './initramfs.ts'
import type { Machine } from './machine.ts'

const SHARE_DEADLINE_MS = 10_000

/** The kernel as the initramfs needs it. */
export function qemuKernel({ modules }: DebianKernel): GuestKernel {
  return {
    modules,
    firstModules: ['virtio_pci', 'virtio_console', 'virtiofs', 'overlay'],
    outPort: '/dev/vport0p1',
    errPort: '/dev/vport0p2',
  }
}

/** A folder of the host that a guest can mount by its tag. */
export interface Share {
  readonly tag: string
  readonly path: string
}

/** Starts the server of a share, and waits until it listens. @throws Error with what it said */
export async function startShare(
  { tag, path }: Share,
  { runDirectory }: Machine,
): Promise<Contained> {
  const socket = socketOf(runDirectory, tag)
  const server = startContained([
    ...['/usr/lib/qemu/virtiofsd', `--socket-path=${socket}`, '--rlimit-nofile=0'],
    ...['-o', `source=${path}`, '-o', 'cache=always', '-o', 'sandbox=chroot'],
  ])
  let isEnded = false
  void server.ended.then(() => {
    isEnded = true
  })
  for (let waitedMs = 0; !existsSync(socket); waitedMs += 10) {
    if (isEnded || waitedMs > SHARE_DEADLINE_MS) {
      await server.close()
      throw new Error(`virtiofsd did not start for ${path}: ${server.console()}`)
    }
    await delay(10)
  }
  return server
}

/** The command line of the guest. The kernel's console is its standard output. */
export function qemuCommand(image: string, shares: readonly Share[], machine: Machine): string[] {
  const { runDirectory, initramfs, memoryMib } = machine
  const shareOptions = shares.flatMap(({ tag }) => [
    ...['-chardev', `socket,id=${tag},path=${socketOf(runDirectory, tag)}`],
    ...['-device', `vhost-user-fs-pci,chardev=${tag},tag=${tag}`],
  ])
  return [
    ...['/usr/bin/qemu-system-x86_64', '-M', 'q35', '-accel', 'tcg,thread=multi,tb-size=512'],
    ...['-cpu', 'max', '-smp', '2', '-m', `${memoryMib}M`],
    ...['-nodefaults', '-no-user-config', '-nographic', '-no-reboot', '-serial', 'stdio'],
    ...['-kernel', image, '-initrd', initramfs],
    ...[
      '-append',
      'console=ttyS0 quiet panic=-1 mitigations=off nokaslr tsc=reliable no_timer_check',
    ],
    // The servers of the shares read the guest's memory.
    ...['-object', `memory-backend-memfd,id=memory,size=${memoryMib}M,share=on`],
    ...['-numa', 'node,memdev=memory'],
    // First of the virtio devices: the names of its ports begin with vport0.
    ...['-device', 'virtio-serial-pci'],
    ...['-chardev', 'socket,id=output,fd=3', '-device', 'virtserialport,nr=1,chardev=output'],
    ...['-chardev', 'socket,id=errors,fd=4', '-device', 'virtserialport,nr=2,chardev=errors'],
    ...shareOptions,
  ]
}

function socketOf(runDirectory: string, tag: string): string {
  return `${runDirectory}/${tag}.sock`
}

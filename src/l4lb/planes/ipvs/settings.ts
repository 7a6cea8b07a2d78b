/**
 * What IPVS must be told beside its services, each with its reason. These hold for all of IPVS in
 * this network namespace, also for services of others.
 *
 * **Source:** `Documentation/networking/ipvs-sysctl.rst`, `net/netfilter/ipvs/ip_vs_core.c`
 */
import { release } from 'node:os'
import type { Ipvs } from '../../../kernel/ipvs.ts'
import type { Sysctls } from '../../../kernel/sysctls.ts'

/** One setting, its value, and why. */
export interface Setting {
  /** Below `/proc/sys/net`. */
  readonly name: string
  readonly value: string
  readonly reason: string
}

/** What {@link planSettings} found and would do. */
export interface SettingsPlan {
  readonly defects: readonly string[]
  readonly sysctls: readonly Setting[]
  /** What established connections' timeout must become. */
  readonly tcpSeconds?: number
}

/** As long as conntrack keeps them: an idle connection must not end sooner than on another plane. */
const TCP_SECONDS = 432_000

/** The settings for a kernel, e.g. of release `6.1.0-26-amd64`. */
export function desiredSettings(kernelRelease: string = release()): readonly Setting[] {
  return [
    vs('conntrack', '1', 'masquerades, ours and those of container networks, need the connection'),
    vs('expire_nodest_conn', '1', 'connections of a backend that is gone end at once'),
    vs('expire_quiescent_template', '1', 'affinity does not lead to a backend that drains'),
    vs(
      'conn_reuse_mode',
      isBefore(kernelRelease, 5, 9) ? '0' : '1',
      'a client that uses a port again is balanced anew; before 5.9 its first packet was dropped',
    ),
    vs('sloppy_tcp', '0', 'the middle of an unknown connection is reset, not given to anybody'),
    vs('run_estimation', '1', 'without it the kernel does not sum up its counters'),
  ]
}

/** Compares; what this kernel has no setting for is left out. */
export async function planSettings(
  sysctls: Sysctls,
  ipvs: Ipvs,
  desired: readonly Setting[] = desiredSettings(),
): Promise<SettingsPlan> {
  const texts = await sysctls.read(desired.map(({ name }) => name))
  const wrong = desired.filter(({ name, value }) => (texts.get(name) ?? value) !== value)
  const { tcpSeconds } = await ipvs.timeouts()
  const isShort = tcpSeconds < TCP_SECONDS
  return {
    defects: [
      ...wrong.map(({ name, value }) => `net/${name} is ${texts.get(name)}, not ${value}`),
      ...(isShort ? [`idle TCP connections end after ${tcpSeconds} s`] : []),
    ],
    sysctls: wrong,
    ...(isShort && { tcpSeconds: TCP_SECONDS }),
  }
}

/** Does it. @throws NavstarError `KERNEL_OPERATION_FAILED` */
export async function applySettings(
  { sysctls: wrong, tcpSeconds }: SettingsPlan,
  sysctls: Sysctls,
  ipvs: Ipvs,
): Promise<void> {
  for (const { name, value } of wrong) await sysctls.write(name, value)
  if (tcpSeconds !== undefined) await ipvs.setTimeouts({ tcpSeconds })
}

function vs(name: string, value: string, reason: string): Setting {
  return { name: `ipv4/vs/${name}`, value, reason }
}

function isBefore(kernelRelease: string, major: number, minor: number): boolean {
  const [itsMajor = 0, itsMinor = 0] = kernelRelease
    .split('.')
    .map((part) => Number.parseInt(part, 10))
  return itsMajor < major || (itsMajor === major && itsMinor < minor)
}

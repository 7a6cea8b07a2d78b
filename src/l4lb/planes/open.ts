/** Opens planes on the real kernel, and tries them. */
import { mkdir } from 'node:fs/promises'
import { NavstarError } from '../../base/error.ts'
import type { Log } from '../../base/log.ts'
import { findBpfMount, findCgroupRoot } from '../../kernel/mounts.ts'
import { openNamespace } from '../../kernel/namespace.ts'
import type { Ip } from '../../model/ip.ts'
import type { ServiceKey } from '../../model/vip.ts'
import type { L4lbOptions } from '../config.ts'
import type { Plane, PlaneKind } from '../plane.ts'
import { openEbpfKernel, openPinnedEbpfKernel, tryEbpf } from './ebpf/kernel.ts'
import { EbpfPlane } from './ebpf/plane.ts'
import { EbpfRemains } from './ebpf/remains.ts'
import { IpvsPlane } from './ipvs/plane.ts'
import { IpvsRemains } from './ipvs/remains.ts'
import { tryIpvs } from './ipvs/trial.ts'
import { NftablesPlane } from './nftables/plane.ts'
import { NftablesRemains } from './nftables/remains.ts'
import { tryNftables } from './nftables/trial.ts'
import { type PlaneProbe, probeEach } from './probe.ts'
import type { Remains } from './remains.ts'

/** What opening a plane takes. */
export interface OpenPlaneOptions {
  readonly options: L4lbOptions
  readonly nodeIp: () => Ip | undefined
  readonly log?: Log
}

/** Tries all planes. */
export async function probePlanes(options: L4lbOptions): Promise<PlaneProbe[]> {
  return probeEach({
    ebpf: async () => tryEbpf(await cgroupOf(options)),
    nftables: () => tryNftables(),
    ipvs: () => tryIpvs(),
  })
}

/**
 * Opens a plane in the process' own network namespace.
 *
 * @throws NavstarError `BPF_LOAD_FAILED`, `PLANE_UNAVAILABLE`
 */
export async function openPlane(
  kind: PlaneKind,
  { options, nodeIp, log }: OpenPlaneOptions,
): Promise<Plane> {
  const { ranges } = options
  if (kind === 'nftables') {
    const logging = log && { log: log.child('nftables') }
    return new NftablesPlane(await openNamespace(), { ranges, nodeIp, ...logging })
  }
  if (kind === 'ipvs') return new IpvsPlane(await openNamespace(), { ranges, nodeIp })
  const cgroup = await cgroupOf(options)
  await preparePinDirectory(options.pinDirectory)
  return new EbpfPlane(await openEbpfKernel({ cgroup, pinDirectory: options.pinDirectory }), {
    ranges,
    ...(log && { log: log.child('ebpf') }),
  })
}

/** Opens a plane that can only observe: what an earlier daemon left is read, nothing is made. */
export async function openPlaneReadOnly(
  kind: PlaneKind,
  { options, nodeIp }: OpenPlaneOptions,
): Promise<Plane> {
  const { ranges, pinDirectory } = options
  if (kind === 'nftables') return new NftablesPlane(await openNamespace(), { ranges, nodeIp })
  if (kind === 'ipvs') return new IpvsPlane(await openNamespace(), { ranges, nodeIp })
  const cgroup = await cgroupOf(options)
  return new EbpfPlane(await openPinnedEbpfKernel({ cgroup, pinDirectory }), { ranges })
}

/** What taking a plane away takes. */
export interface OpenRemainsOptions {
  readonly options: L4lbOptions
  /** Runs before `ebpf` ceases to take connections. */
  readonly beforeDetaching: () => Promise<unknown>
  /** VIPs that are served: what their open connections need stays. */
  readonly vips: () => Iterable<ServiceKey>
}

/** Opens what a plane that does not serve has left, or may have. */
export async function openRemains(
  kind: PlaneKind,
  { options, beforeDetaching, vips }: OpenRemainsOptions,
): Promise<Remains> {
  if (kind === 'nftables') return new NftablesRemains(await openNamespace(), vips)
  if (kind === 'ipvs') return new IpvsRemains(await openNamespace())
  return new EbpfRemains(options.pinDirectory, beforeDetaching)
}

async function cgroupOf({ cgroup }: L4lbOptions): Promise<string> {
  const root = cgroup ?? (await findCgroupRoot())
  if (root !== undefined) return root
  throw new NavstarError('PLANE_UNAVAILABLE', {
    attempt: 'find the cgroup2 hierarchy',
    hint: 'Mount it: mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified',
  })
}

async function preparePinDirectory(path: string): Promise<void> {
  const mount = await findBpfMount()
  if (mount === undefined || !path.startsWith(`${mount}/`)) {
    throw new NavstarError('PLANE_UNAVAILABLE', {
      attempt: `pin below ${path}`,
      cause: mount === undefined ? 'no BPF file system is mounted' : `${mount} is another place`,
      hint: 'Mount one: mount -t bpf bpf /sys/fs/bpf',
    })
  }
  await mkdir(path, { recursive: true, mode: 0o700 })
}

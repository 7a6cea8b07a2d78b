import type { Cidr } from '../model/cidr.ts'
import { parseCidr } from '../model/cidr.ts'
import type { Zone } from '../model/zone.ts'
import type { PlaneKind } from './plane.ts'

/** What an operator can set about VIPs. */
export interface L4lbOptions {
  /** Which data plane serves VIPs; `auto` takes the first that works: ebpf, nftables, ipvs. */
  readonly plane: 'auto' | PlaneKind
  /** The cgroup2 directory whose processes the `ebpf` plane serves; default: the root, all. */
  readonly cgroup?: string
  /** Where the `ebpf` plane pins maps and links: a directory in a BPF file system. */
  readonly pinDirectory: string
  /** Blocks that named VIPs get their addresses from, at most one per family. */
  readonly ranges: readonly Cidr[]
  /**
   * How long a name keeps its address after its last backend on this node went: longer than a
   * deployment or a restart of all nodes takes, short enough that what is gone frees it soon.
   */
  readonly addressCoolDownMs: number
  /**
   * How long a service stays at an address that its name had before, for open connections and
   * cached DNS answers, unless another name needs the address.
   */
  readonly addressDrainMs: number
  /** Where this node is, for VIPs that prefer near backends. */
  readonly zone?: Zone
}

/** The blocks of DC/OS. **Source:** dcos-net `dcos_l4lb` min/max_named_ip(6) */
export const DEFAULT_RANGES: readonly string[] = ['11.0.0.0/8', 'fd01:c::/64']

/** What holds where the operator says nothing. */
export const L4LB_DEFAULTS: L4lbOptions = Object.freeze({
  plane: 'auto',
  pinDirectory: '/sys/fs/bpf/navstar',
  ranges: Object.freeze(DEFAULT_RANGES.map(parseCidr).filter((cidr) => cidr !== undefined)),
  addressCoolDownMs: 600_000,
  addressDrainMs: 60_000,
})

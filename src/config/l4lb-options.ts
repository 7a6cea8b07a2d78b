import { DEFAULT_RANGES, L4LB_DEFAULTS, type L4lbOptions } from '../l4lb/config.ts'
import { type Cidr, parseCidr } from '../model/cidr.ts'
import { familyOf } from '../model/ip.ts'
import { parseZone, type Zone } from '../model/zone.ts'
import { fail, nonEmpty, type Option, oneOf, splitList } from './option.ts'

/** The options of VIPs by the name that the composition uses. */
export interface L4lbOptionTable {
  readonly plane: Option<L4lbOptions['plane']>
  readonly cgroup: Option<string>
  readonly pinDirectory: Option<string>
  readonly ranges: Option<readonly Cidr[]>
  readonly zone: Option<Zone>
}

/** The options of VIPs. */
export const L4LB_OPTIONS: L4lbOptionTable = {
  plane: {
    name: 'plane',
    placeholder: 'auto|ebpf|nftables|ipvs',
    help: 'The data plane; auto takes the first that works on this kernel',
    defaultText: L4LB_DEFAULTS.plane,
    parse: oneOf(['auto', 'ebpf', 'nftables', 'ipvs'] as const),
  },
  cgroup: {
    name: 'cgroup',
    placeholder: 'DIRECTORY',
    help: 'The cgroup2 directory whose processes the ebpf plane serves; default: all',
    parse: nonEmpty,
  },
  pinDirectory: {
    name: 'pin-directory',
    placeholder: 'DIRECTORY',
    help: 'Where the ebpf plane pins its maps and links, in a BPF file system',
    defaultText: L4LB_DEFAULTS.pinDirectory,
    parse: nonEmpty,
  },
  zone: {
    name: 'zone',
    placeholder: 'NAME',
    help: 'Where this node is, e.g. a rack: VIPs can prefer backends of the client’s own zone',
    parse: (text) => parseZone(text) ?? fail('expected at most 63 letters, digits, - _ . or /'),
  },
  ranges: {
    name: 'vip-range',
    placeholder: 'CIDR,…',
    help: 'Blocks for the addresses of named VIPs, at most one per family',
    defaultText: DEFAULT_RANGES.join(','),
    parse: parseRanges,
  },
}

/** The slice of the configuration that they fill. */
export function composeL4lb(read: <T>(option: Option<T>) => T | undefined): L4lbOptions {
  const cgroup = read(L4LB_OPTIONS.cgroup)
  const zone = read(L4LB_OPTIONS.zone)
  return {
    ...L4LB_DEFAULTS,
    ...(cgroup !== undefined && { cgroup }),
    ...(zone !== undefined && { zone }),
    plane: read(L4LB_OPTIONS.plane) ?? L4LB_DEFAULTS.plane,
    pinDirectory: read(L4LB_OPTIONS.pinDirectory) ?? L4LB_DEFAULTS.pinDirectory,
    ranges: read(L4LB_OPTIONS.ranges) ?? L4LB_DEFAULTS.ranges,
  }
}

function parseRanges(text: string): readonly Cidr[] {
  const ranges = splitList(text).map(
    (part) => parseCidr(part) ?? fail(`'${part}' is no CIDR block`),
  )
  const families = new Set(ranges.map(({ base }) => familyOf(base)))
  return families.size === ranges.length ? ranges : fail('expected at most one block per family')
}

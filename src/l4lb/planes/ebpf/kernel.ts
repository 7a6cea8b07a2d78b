/** The plane's programs and maps on the real kernel. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { NavstarError } from '../../../base/error.ts'
import {
  type BpfFeature,
  type BpfMap,
  bpfFeatures,
  bpfLinkState,
  loadBpfObject,
  openPinnedMap,
} from '../../../kernel/bpf.ts'
import { type EbpfKernel, PROGRAMS } from './plane.ts'

/** Where the plane is attached and pinned. */
export interface EbpfPlaces {
  /** A cgroup2 directory. */
  readonly cgroup: string
  /** A directory in a BPF file system. */
  readonly pinDirectory: string
}

/** Maps of another version of the layout live in another directory. */
const LAYOUT_VERSION = 'v1'

/**
 * Room for 250,000 backends, twice while all of them change. An audit walks every bucket, however
 * few are in use, so larger maps would cost each node: about 5 ms a million buckets.
 */
const MAP_SIZES = { slots: 524_288, members: 524_288 } as const

const MAPS = ['vips', 'slots', 'members', 'ranges'] as const

/** Without one of these the plane cannot work. */
const REQUIRED = ['cgroup_link', 'bpf_file_system', 'cgroup2']

/** Loads the programs and opens the maps. @throws NavstarError `BPF_LOAD_FAILED` */
export async function openEbpfKernel({ cgroup, pinDirectory }: EbpfPlaces): Promise<EbpfKernel> {
  const directory = join(pinDirectory, LAYOUT_VERSION)
  const features = await bpfFeatures()
  const constants = { has_set_retval: isSupported(features, 'bpf_set_retval') ? 1 : 0 }
  try {
    const maxEntries = MAP_SIZES
    const object = await loadBpfObject({
      object: 'l4lb',
      pinDirectory: directory,
      constants,
      maxEntries,
    })
    const [vips, slots, members, ranges] = MAPS.map((name) => object.map(name)) as Four<BpfMap>
    return {
      maps: { vips, slots, members, ranges },
      attach: (program) =>
        object.attachCgroup({ program, cgroup, linkPin: linkPin(directory, program) }),
      linkState: (program) => bpfLinkState(linkPin(directory, program)),
      close: () => {
        for (const map of [vips, slots, members, ranges]) map.close()
        object.close()
      },
    }
  } catch (cause) {
    throw new NavstarError('BPF_LOAD_FAILED', { attempt: `load programs for ${cgroup}`, cause })
  }
}

/** Opens what an earlier daemon pinned, for reading; what is not there is empty. */
export async function openPinnedEbpfKernel({ pinDirectory }: EbpfPlaces): Promise<EbpfKernel> {
  const directory = join(pinDirectory, LAYOUT_VERSION)
  const opened = await Promise.all(MAPS.map((name) => openOrEmpty(join(directory, name))))
  const [vips, slots, members, ranges] = opened as Four<BpfMap>
  return {
    maps: { vips, slots, members, ranges },
    attach: () => Promise.reject(new Error('opened for reading')),
    linkState: (program) => bpfLinkState(linkPin(directory, program)),
    close: () => {
      for (const map of opened) map.close()
    },
  }
}

/** Tries what the plane needs. @returns what it will do @throws Error with what is missing */
export async function tryEbpf(cgroup: string): Promise<string> {
  const features = await bpfFeatures()
  const needed = [...REQUIRED, ...PROGRAMS.map((program) => `cgroup/${program}`)]
  const missing = needed.filter((name) => !isSupported(features, name))
  if (missing.length > 0) throw new Error(`the kernel or this process lacks ${missing.join(', ')}`)
  return `BPF programs load and attach at connect time, for processes below ${cgroup}`
}

type Four<T> = [T, T, T, T]

function isSupported(features: readonly BpfFeature[], name: string): boolean {
  return features.some((feature) => feature.name === name && feature.isSupported)
}

function linkPin(directory: string, program: string): string {
  return join(directory, `link-${program}`)
}

async function openOrEmpty(path: string): Promise<BpfMap> {
  return existsSync(path) ? openPinnedMap(path) : EMPTY_MAP
}

const EMPTY_MAP: BpfMap = {
  update: () => Promise.reject(new Error('opened for reading')),
  delete: () => Promise.reject(new Error('opened for reading')),
  dump: () => Promise.resolve({ keys: new Uint8Array(), values: new Uint8Array() }),
  audit: () => Promise.resolve(true),
  close: () => undefined,
}

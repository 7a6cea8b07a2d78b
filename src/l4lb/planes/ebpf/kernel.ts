/** The plane's programs and maps on the real kernel. */
import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { NavstarError } from '../../../base/error.ts'
import {
  type BpfFeature,
  type BpfMap,
  bpfFeatures,
  bpfLinkState,
  loadBpfObject,
  openPinnedMap,
} from '../../../kernel/bpf.ts'
import { canDestroySockets, destroySockets } from '../../../kernel/sockets.ts'
import { type EbpfKernel, MEASURING_PROGRAM, PROGRAMS } from './plane.ts'
import { findPredecessor, takeLink } from './predecessor.ts'
import type { EbpfAbilities } from './slot-set.ts'

/** Where the plane is attached and pinned. */
export interface EbpfPlaces {
  /** A cgroup2 directory. */
  readonly cgroup: string
  /** A directory in a BPF file system. */
  readonly pinDirectory: string
}

/** The directory of the pins: maps of another version of the layout live in another one. */
export const LAYOUT_VERSION = 'v2'

/**
 * Room for 250,000 backends, twice while all of them change. A full audit, one of 16, walks every
 * bucket, however few are in use, so larger maps would cost each node: about 5 ms a million buckets.
 */
const MAP_SIZES = { slots: 524_288, members: 524_288 } as const

const MAPS = [
  'vips',
  'slots',
  'members',
  'measures',
  'cursors',
  'ranges',
  'origins',
  'flows',
  'affinities',
  'connections',
] as const

type Maps = EbpfKernel['maps']

/** Without one of these the plane cannot work. */
const REQUIRED = ['cgroup_link', 'bpf_file_system', 'cgroup2']

/** enum client_by of client.h, by the feature that it takes; the first that the kernel has. */
const CLIENT_BY = [
  ['bpf_get_netns_cookie', 1],
  ['bpf_get_current_cgroup_id', 2],
] as const

/** Loads the programs and opens the maps. @throws NavstarError `BPF_LOAD_FAILED` */
export async function openEbpfKernel({ cgroup, pinDirectory }: EbpfPlaces): Promise<EbpfKernel> {
  const directory = join(pinDirectory, LAYOUT_VERSION)
  const features = await bpfFeatures()
  const abilities = abilitiesOf(features, await canDestroySockets())
  try {
    const predecessor = await findPredecessor(pinDirectory, directory)
    const object = await loadBpfObject({
      object: 'l4lb',
      pinDirectory: directory,
      constants: {
        has_set_retval: isSupported(features, 'bpf_set_retval') ? 1 : 0,
        client_by: clientBy(features),
      },
      maxEntries: MAP_SIZES,
      leftOut: abilities.seesConnections ? [] : [MEASURING_PROGRAM],
    })
    const maps = mapsOf((name) => object.map(name))
    return {
      maps,
      abilities,
      destroySockets: (protocol, targets) => destroySockets({ cgroup, protocol, targets }),
      ...(predecessor && { predecessor }),
      attach: async (program) => {
        const own = linkPin(directory, program)
        if (predecessor) await takeLink(predecessor, { pinDirectory, own, name: basename(own) })
        await object.attachCgroup({ program, cgroup, linkPin: own })
      },
      linkState: (program) => bpfLinkState(linkPin(directory, program)),
      isCurrent: (program) =>
        object.isAttached({ program, cgroup, linkPin: linkPin(directory, program) }),
      close: () => {
        for (const map of Object.values(maps)) map.close()
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
  const maps = mapsOf((name) => opened[MAPS.indexOf(name)] ?? EMPTY_MAP)
  return {
    maps,
    abilities: abilitiesOf(await bpfFeatures(), await canDestroySockets()),
    isReadOnly: true,
    destroySockets: () => Promise.reject(new Error('opened for reading')),
    attach: () => Promise.reject(new Error('opened for reading')),
    linkState: (program) => bpfLinkState(linkPin(directory, program)),
    isCurrent: async (program) =>
      (await bpfLinkState(linkPin(directory, program)))?.isAttached === true,
    close: () => {
      for (const map of opened) map.close()
    },
  }
}

/** Tries what the plane needs. @returns what it will do @throws Error with what is missing */
export async function tryEbpf(cgroup: string): Promise<string> {
  const features = await bpfFeatures()
  const programs = PROGRAMS.filter((program) => program !== MEASURING_PROGRAM)
  const needed = [...REQUIRED, ...programs.map((program) => `cgroup/${program}`)]
  const missing = needed.filter((name) => !isSupported(features, name))
  if (missing.length > 0) throw new Error(`the kernel or this process lacks ${missing.join(', ')}`)
  return `BPF programs load and attach at connect time, for processes below ${cgroup}`
}

function abilitiesOf(features: readonly BpfFeature[], endsSockets: boolean): EbpfAbilities {
  return {
    seesConnections: isSupported(features, `cgroup/${MEASURING_PROGRAM}`),
    knowsClients: clientBy(features) !== 0,
    endsSockets,
  }
}

function clientBy(features: readonly BpfFeature[]): number {
  return CLIENT_BY.find(([name]) => isSupported(features, name))?.[1] ?? 0
}

function mapsOf(open: (name: (typeof MAPS)[number]) => BpfMap): Maps {
  return {
    vips: open('vips'),
    slots: open('slots'),
    members: open('members'),
    measures: open('measures'),
    cursors: open('cursors'),
    ranges: open('ranges'),
    origins: open('origins'),
    flows: open('flows'),
    affinities: open('affinities'),
    connections: open('connections'),
  }
}

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

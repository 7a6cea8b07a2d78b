/**
 * BPF maps and programs as the seam gives them.
 *
 * **Source:** `include/uapi/linux/bpf.h`
 */
import { nativeAddon } from './native.ts'

/** Entries of a map, packed: n × key size and n × value size. */
export interface BpfEntries {
  readonly keys: Uint8Array
  readonly values: Uint8Array
}

/** A hash or array map. */
export interface BpfMap {
  /** Writes entries. @returns an errno per entry, or nothing when all went well */
  update(keys: Uint8Array, values: Uint8Array): Promise<readonly number[]>
  /** Deletes entries; ENOENT for those that were not there. */
  delete(keys: Uint8Array): Promise<readonly number[]>
  dump(): Promise<BpfEntries>
  /**
   * False when the content is not what the last dump and our own writes since make it. In a large
   * map with few entries, one that somebody added is found by one audit of 16.
   */
  audit(): Promise<boolean>
  close(): void
}

/** Whether a pinned link still attaches its program. */
export interface BpfLinkState {
  readonly isAttached: boolean
  readonly programId: number
  readonly tag: string
}

/** A kernel feature that a data plane needs. */
export interface BpfFeature {
  readonly name: string
  readonly isSupported: boolean
  readonly errno?: number
  readonly detail?: string
}

/** What {@link loadBpfObject} loads. */
export interface BpfObjectOptions {
  /** The object's name in the addon: `l4lb`. */
  readonly object: 'l4lb'
  /** Where its maps are pinned; pinned ones of the same definition are used on. */
  readonly pinDirectory: string
  /** Constants of its `.rodata` by name. */
  readonly constants: Readonly<Record<string, number>>
  /** Sizes of maps by name, where the object's own do not fit. */
  readonly maxEntries: Readonly<Record<string, number>>
  /** Programs that are not loaded, since the kernel lacks what they need. */
  readonly leftOut?: readonly string[]
}

/** Where a program is attached. */
export interface BpfAttachment {
  readonly program: string
  readonly cgroup: string
  readonly linkPin: string
}

/** A loaded object. Closing it leaves pinned maps and links in place. */
export interface BpfObject {
  map(name: string): BpfMap
  /** Attaches, adopts the pinned link of the same program, or exchanges its program in one step. */
  attachCgroup(attachment: BpfAttachment): Promise<void>
  /** Whether the pinned link runs this very program on the same maps. */
  isAttached(attachment: BpfAttachment): Promise<boolean>
  close(): void
}

/** Loads an object: verifies its programs, makes or reuses its maps. */
export async function loadBpfObject(options: BpfObjectOptions): Promise<BpfObject> {
  const object = await nativeAddon().BpfObject.load({
    ...options,
    constants: { ...options.constants },
    maxEntries: { ...options.maxEntries },
    leftOut: [...(options.leftOut ?? [])],
  })
  return {
    map: (name) => object.map(name),
    attachCgroup: async (attachment) => {
      await object.attachCgroup({ ...attachment })
    },
    isAttached: (attachment) => object.isAttached({ ...attachment }),
    close: () => object.close(),
  }
}

/** Opens a pinned map. */
export function openPinnedMap(path: string): Promise<BpfMap> {
  return nativeAddon().BpfMap.openPinned(path)
}

/** The state of a pinned link; undefined without one. */
export async function bpfLinkState(pin: string): Promise<BpfLinkState | undefined> {
  return (await nativeAddon().bpfLinkState(pin)) ?? undefined
}

/** What this kernel can do, found out by trying. */
export async function bpfFeatures(): Promise<readonly BpfFeature[]> {
  return nativeAddon().bpfFeatures()
}

/**
 * BPF maps and programs as the seam gives them.
 *
 * **Source:** `include/uapi/linux/bpf.h`
 */

/** Entries of a map, packed: n × key size and n × value size. */
export interface BpfEntries {
  readonly keys: Uint8Array
  readonly values: Uint8Array
}

/** A hash or array map. */
export interface BpfMap {
  readonly keySize: number
  readonly valueSize: number
  /** Writes entries. @returns an errno per entry, or nothing when all went well */
  update(keys: Uint8Array, values: Uint8Array): Promise<readonly number[]>
  /** Deletes entries; ENOENT for those that were not there. */
  delete(keys: Uint8Array): Promise<readonly number[]>
  dump(): Promise<BpfEntries>
  /** False when the content is not what the last dump and our own writes since make it. */
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
  readonly detail?: string
}

/** Something that reads bytes of strangers, as the fuzzer sees it. */
export interface FuzzedDecoder<T = unknown> {
  /** For `--only`, e.g. `gossip/delta`. */
  readonly name: string
  /** Valid encodings to start from; the same for the same seed. */
  corpus(seed: number): readonly Uint8Array[]
  /** What the bytes say; undefined when they are refused. Must not throw. */
  decode(bytes: Uint8Array): T | undefined
  /** Must be read back as the same value. */
  encode(value: T): Uint8Array
}

/**
 * Numbers of 32 bits as both planes' maps hold them: in the machine's order, which is
 * little-endian on all machines that navstar supports.
 *
 * Written byte by byte: a view of another type would move each small array out of the heap.
 */

/** Reads a number. */
export function readWord(bytes: Uint8Array, offset: number): number {
  const [low, high] = [readHalf(bytes, offset), readHalf(bytes, offset + 2)]
  return low + high * 65_536
}

/** Reads a number of 64 bits; exact below 2^53. */
export function readLong(bytes: Uint8Array, offset: number): number {
  return readWord(bytes, offset) + readWord(bytes, offset + 4) * 4_294_967_296
}

/** Writes a number. */
export function writeWord(value: number, bytes: Uint8Array, offset: number): void {
  bytes[offset] = value
  bytes[offset + 1] = value >>> 8
  bytes[offset + 2] = value >>> 16
  bytes[offset + 3] = value >>> 24
}

/** Numbers one after another. */
export function words(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4)
  for (let index = 0; index < values.length; index++)
    writeWord(values[index] ?? 0, bytes, index * 4)
  return bytes
}

function readHalf(bytes: Uint8Array, offset: number): number {
  return (bytes[offset] ?? 0) | ((bytes[offset + 1] ?? 0) << 8)
}

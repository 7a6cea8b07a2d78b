/**
 * Erlang's `phash2` of a binary: Bob Jenkins' lookup2 seeded with the type's constant. DC/OS
 * derives a named VIP's first candidate address from it, so a cluster that moves to navstar
 * keeps its addresses.
 *
 * **Source:** erlang/otp `erts/emulator/beam/utils.c` (make_hash2, block_hash);
 * Bob Jenkins, "Hash functions for hash table lookup" (lookup2)
 */

const GOLDEN_RATIO = 0x9e3779b9
const BINARY_SEED = 0x08d12e65
const BLOCK_BYTES = 12

type State = [a: number, b: number, c: number]

/** The shifts of one mixing round: right, left, right, three times. */
const SHIFTS = [13, 8, 13, 12, 16, 5, 3, 10, 15] as const

/**
 * Hashes bytes to 0…range − 1.
 *
 * @param range 1 to 2^32
 */
export function phash2(bytes: Uint8Array, range: number): number {
  const state: State = [GOLDEN_RATIO, GOLDEN_RATIO, BINARY_SEED]
  const whole = bytes.length - (bytes.length % BLOCK_BYTES)
  for (let start = 0; start < whole; start += BLOCK_BYTES) {
    addBlock(state, bytes.subarray(start, start + BLOCK_BYTES))
    mix(state)
  }
  state[2] = (state[2] + bytes.length) >>> 0
  addTail(state, bytes.subarray(whole))
  mix(state)
  return state[2] % range
}

function addBlock(state: State, block: Uint8Array): void {
  const view = new DataView(block.buffer, block.byteOffset, block.length)
  for (let word = 0; word < 3; word++) {
    state[word] = ((state[word] ?? 0) + view.getUint32(word * 4, true)) >>> 0
  }
}

/** The last bytes; the lowest byte of the third word holds the length. */
function addTail(state: State, tail: Uint8Array): void {
  tail.forEach((byte, index) => {
    const word = Math.floor(index / 4)
    const shift = word === 2 ? 8 * (index - 7) : 8 * (index % 4)
    state[word] = ((state[word] ?? 0) + ((byte << shift) >>> 0)) >>> 0
  })
}

function mix(state: State): void {
  SHIFTS.forEach((shift, step) => {
    const target = step % 3
    const [first, second] = [state[(target + 1) % 3] ?? 0, state[(target + 2) % 3] ?? 0]
    const rest = ((state[target] ?? 0) - first - second) >>> 0
    const shifted = target === 1 ? second << shift : second >>> shift
    state[target] = (rest ^ shifted) >>> 0
  })
}

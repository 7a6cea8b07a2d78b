import { SEAL_BYTES } from './seal.ts'

/** The messages in one frame: the largest record, and what a delta says beside it. */
export const MAX_CONTENT_BYTES: number = 1_048_576 + 4096

/** A frame with its seal. */
export const MAX_FRAME_BYTES: number = MAX_CONTENT_BYTES + SEAL_BYTES

/** Frames before the proof: a sealed challenge, and room for what newer nodes add. */
export const MAX_HANDSHAKE_BYTES: number = SEAL_BYTES + 64

/** Messages share a frame up to this size, so that frames take turns. */
export const SHARED_FRAME_BYTES = 16_384

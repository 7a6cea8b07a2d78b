/**
 * How a new connection gets one of the slots of its service, and how a map `vips…` says so: the lower
 * 24 bits of its value are the number of slots, the upper 8 the way.
 */

/**
 * By chance; by the client's address; or in turns, by one of several counters: services with the same
 * number of slots and the same counter count each other's connections.
 */
export type Draw = 'random' | 'client' | `turns${number}`

/** A number of slots, and how one is drawn. */
export interface SlotDraw {
  readonly slots: number
  readonly by: Draw
}

/** Counters of turns that services of one number of slots can have. */
export const TURN_COUNTERS = 32

const WAY = 2 ** 24
const BY_CLIENT = 1
const FIRST_COUNTER = 16
const DRAW = /^(random|client|turns(?:[0-9]|[12][0-9]|3[01]))$/

/** The counter of turns, e.g. 3 of `turns3`; undefined where slots are drawn otherwise. */
export function turnCounterOf(by: Draw): number | undefined {
  return by.startsWith('turns') ? Number(by.slice('turns'.length)) : undefined
}

/** A value of `vips…`. By chance it is just the number of slots. */
export function encodeSlotDraw({ slots, by }: SlotDraw): number {
  const counter = turnCounterOf(by)
  if (counter !== undefined) return slots + (FIRST_COUNTER + counter) * WAY
  return by === 'client' ? slots + BY_CLIENT * WAY : slots
}

/** A value as {@link encodeSlotDraw} made it; undefined for any other. */
export function decodeSlotDraw(value: number): SlotDraw | undefined {
  const slots = value % WAY
  const way = Math.floor(value / WAY)
  if (way === 0) return { slots, by: 'random' }
  if (way === BY_CLIENT) return { slots, by: 'client' }
  const counter = way - FIRST_COUNTER
  return counter >= 0 && counter < TURN_COUNTERS ? { slots, by: `turns${counter}` } : undefined
}

/** `3`, `64-client`, `3-turns0`, as it stands in names of chains. */
export function formatSlotDraw({ slots, by }: SlotDraw): string {
  return by === 'random' ? `${slots}` : `${slots}-${by}`
}

/** A text as {@link formatSlotDraw} made it; undefined for any other. */
export function parseSlotDraw(text: string): SlotDraw | undefined {
  const [slots = '', by = 'random', ...rest] = text.split('-')
  const isOwn = /^\d{1,7}$/.test(slots) && DRAW.test(by) && rest.length === 0
  return isOwn ? { slots: Number(slots), by: by as Draw } : undefined
}

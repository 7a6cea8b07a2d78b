import { setImmediate as nextImmediate } from 'node:timers/promises'

/**
 * Ends with the present turn of the event loop, after everything that has already arrived: what
 * comes in a burst can be seen at once.
 */
export async function endOfTurn(): Promise<void> {
  await nextImmediate()
}

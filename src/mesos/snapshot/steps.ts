import { endOfTurn } from '../../base/turn.ts'

/** A long reading that stops about every millisecond of work, so that others get their turn. */
export type Steps<T> = Generator<undefined, T, undefined>

/** Receives the entries of lists one by one: the list's name, e.g. `tasks`, and the entry. */
export type OnEntry = (list: string, entry: Readonly<Record<string, unknown>>) => void

/** Takes the steps, one in a turn of the event loop. @throws the signal's reason when aborted */
export async function inTurns<T>(steps: Steps<T>, signal?: AbortSignal): Promise<T> {
  for (;;) {
    signal?.throwIfAborted()
    const step = steps.next()
    if (step.done === true) return step.value
    await endOfTurn()
  }
}

/** Takes all steps at once. */
export function inOneTurn<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

import type { Clock } from '../../base/clock.ts'

/** What bounds a piece of work. */
export interface Deadline {
  readonly clock: Clock
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** Runs work with a signal that aborts with `deadline.signal`, or when the time is up. */
export async function withDeadline<T>(
  { clock, timeoutMs, signal }: Deadline,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted()
  const late = new AbortController()
  const done = new AbortController()
  clock.sleep(timeoutMs, { signal: done.signal }).then(
    () => late.abort(new Error(`no answer within ${timeoutMs} ms`)),
    () => undefined,
  )
  try {
    return await work(AbortSignal.any([signal, late.signal]))
  } finally {
    done.abort()
  }
}

/** Waits for a wake-up, at most `timeoutMs`. */
export async function waitAtMost(
  { clock, timeoutMs, signal }: Deadline,
  wait: (options: { readonly signal: AbortSignal }) => Promise<void>,
): Promise<void> {
  const late = new AbortController()
  const done = new AbortController()
  clock.sleep(timeoutMs, { signal: done.signal }).then(
    () => late.abort(),
    () => undefined,
  )
  try {
    await wait({ signal: AbortSignal.any([signal, late.signal]) })
  } catch (error) {
    if (signal.aborted || !late.signal.aborted) throw error
  } finally {
    done.abort()
  }
}

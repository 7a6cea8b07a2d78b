import { ERROR_CODES, type ErrorCode } from './error-codes.ts'

/** What happened to the object's state when an operation failed. */
export type ErrorEffect = 'none' | 'partial' | 'unknown'

/** What a failure is made of beyond its code. */
export interface ErrorDetails {
  /** What was attempted on which object, e.g. `read state of agent http://127.0.0.1:5051`. */
  readonly attempt: string
  readonly cause?: unknown
  /** Replaces the registry's hint where the place knows more. */
  readonly hint?: string
}

/**
 * The one error type that leaves a module: a stable code, the object, the cause, a hint for the
 * operator and the effect on state. Branch on `code`, never on the message.
 */
export class NavstarError extends Error {
  override readonly name = 'NavstarError'
  readonly code: ErrorCode
  readonly hint: string
  readonly effect: ErrorEffect

  constructor(code: ErrorCode, { attempt, cause, hint }: ErrorDetails) {
    const reason = cause === undefined ? '' : `: ${messageOf(cause)}`
    super(`${ERROR_CODES[code].summary} (${attempt})${reason}`, { cause })
    this.code = code
    this.hint = hint ?? ERROR_CODES[code].hint
    this.effect = ERROR_CODES[code].effect
  }
}

/** The error as it is; anything else wrapped under `UNEXPECTED`. */
export function toNavstarError(thrown: unknown, attempt: string): NavstarError {
  if (thrown instanceof NavstarError) return thrown
  return new NavstarError('UNEXPECTED', { attempt, cause: thrown })
}

/** The innermost useful text of anything thrown. */
export function messageOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown)
  const cause = thrown.cause
  const isOpaque = thrown.message === 'fetch failed' || thrown.message === ''
  return isOpaque && cause !== undefined ? messageOf(cause) : thrown.message || thrown.name
}

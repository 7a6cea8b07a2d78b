import { type DestinationStream, pino } from 'pino'
import { NavstarError } from './error.ts'

/** Fields of a log line; errors under `error`. */
export type LogFields = Readonly<Record<string, unknown>>

/**
 * A log of JSON lines. The message is constant; what varies goes into fields.
 * error = act, warn = degraded and retrying, info = state changed, debug = per operation.
 */
export interface Log {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** A log whose lines carry the component's name. */
  child(component: string): Log
}

/** The levels that an operator can ask for. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const

/** How much is logged. */
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Opens a log. @param destination where lines go; default: standard error */
export function openLog(level: LogLevel, destination?: DestinationStream): Log {
  const stream = destination ?? pino.destination({ fd: 2, sync: true })
  return wrap(pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, stream))
}

/** A log that keeps nothing. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => silentLog,
}

type PinoLogger = ReturnType<typeof pino>

function wrap(logger: PinoLogger): Log {
  return {
    debug: (message, fields) => logger.debug(flatten(fields), message),
    info: (message, fields) => logger.info(flatten(fields), message),
    warn: (message, fields) => logger.warn(flatten(fields), message),
    error: (message, fields) => logger.error(flatten(fields), message),
    child: (component) => wrap(logger.child({ component })),
  }
}

function flatten(fields: LogFields = {}): LogFields {
  const thrown = fields['error']
  if (!(thrown instanceof Error)) return fields
  const { code, hint, effect } = thrown instanceof NavstarError ? thrown : {}
  return { ...fields, error: { message: thrown.message, code, hint, effect, stack: thrown.stack } }
}

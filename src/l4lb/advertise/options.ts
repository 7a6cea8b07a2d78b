/**
 * Options of a VIP as labels beside its own: `VIP_0: /web:80`, `VIP_0_ALGORITHM: maglev`.
 *
 * DC/OS takes each key that begins with VIP for a VIP, finds no port in these and passes them by, so
 * that a service with options works in a cluster of both.
 */
import { NavstarError } from '../../base/error.ts'
import type { VipOptionLabel } from '../../model/task.ts'
import { ALGORITHMS, type Drain, LOCALITIES, type VipOptions } from '../../model/vip-options.ts'

/** Options that were understood, and what was not. */
export interface ParsedOptions {
  readonly options: VipOptions
  readonly problems: readonly NavstarError[]
}

const MOST_SECONDS = 7 * 86_400
const MOST_CONNECTIONS = 1_000_000

/** Reads the value of one option. @returns undefined when it means nothing */
const READERS: Readonly<Record<string, (value: string) => VipOptions | undefined>> = {
  ALGORITHM: (value) => wrap('algorithm', oneOf(ALGORITHMS, value)),
  AFFINITY: (value) => wrap('affinitySeconds', secondsOf(value, 1)),
  DRAIN: (value) => wrap('drain', drainOf(value)),
  LOCALITY: (value) => wrap('locality', oneOf(LOCALITIES, value)),
  CONNECTION_LIMIT: (value) => wrap('connectionLimit', countOf(value)),
  SLOW_START: (value) => wrap('slowStartSeconds', secondsOf(value, 1)),
}

const EXPECTED: Readonly<Record<string, string>> = {
  ALGORITHM: ALGORITHMS.join(', '),
  AFFINITY: 'a time such as 300, 300s or 5m, at most 7d',
  DRAIN: 'graceful, reset, or a time such as 30s',
  LOCALITY: LOCALITIES.join(', '),
  CONNECTION_LIMIT: `a number from 1 to ${MOST_CONNECTIONS}`,
  SLOW_START: 'a time such as 30s, at most 7d',
}

/**
 * Reads the options of one VIP. An option that is unknown, or has a value that means nothing, or two
 * that differ, is reported and left out; the others stand.
 *
 * @param vip the label's value, for messages
 */
export function parseOptions(labels: readonly VipOptionLabel[], vip: string): ParsedOptions {
  const problems: NavstarError[] = []
  let options: VipOptions = {}
  for (const [name, values] of valuesByOption(labels)) {
    const [value = ''] = values
    const read = READERS[name]?.(value)
    if (values.length > 1) problems.push(invalid({ vip, name, cause: contradiction(values) }))
    else if (read === undefined)
      problems.push(invalid({ vip, name, cause: unreadable(name, value) }))
    else options = { ...options, ...read }
  }
  return { options, problems }
}

function valuesByOption(labels: readonly VipOptionLabel[]): Map<string, readonly string[]> {
  const values = new Map<string, readonly string[]>()
  for (const { option, value } of labels) {
    const name = option.toUpperCase()
    const known = values.get(name) ?? []
    if (!known.includes(value)) values.set(name, [...known, value])
  }
  return values
}

function invalid({ vip, name, cause }: Record<'vip' | 'name' | 'cause', string>): NavstarError {
  const attempt = `read option ${shorten(name)} of VIP '${shorten(vip)}'`
  return new NavstarError('VIP_OPTION_INVALID', { attempt, cause })
}

function contradiction(values: readonly string[]): string {
  return `it is both ${values.map((value) => `'${shorten(value)}'`).join(' and ')}`
}

function unreadable(name: string, value: string): string {
  const expected = EXPECTED[name]
  if (expected === undefined) return `options are ${Object.keys(READERS).join(', ')}`
  return `'${shorten(value)}' is not ${expected}`
}

function wrap<K extends keyof VipOptions>(
  name: K,
  value: VipOptions[K] | undefined,
): VipOptions | undefined {
  return value === undefined ? undefined : { [name]: value }
}

function oneOf<T extends string>(values: readonly T[], text: string): T | undefined {
  const wanted = text.trim().toLowerCase()
  return values.find((value) => value === wanted)
}

function drainOf(text: string): Drain | undefined {
  return oneOf(['graceful', 'reset'] as const, text) ?? secondsOf(text, 1)
}

const UNITS: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 }

function secondsOf(text: string, least: number): number | undefined {
  const [, digits, unit = ''] = /^(\d{1,7})([smhd]?)$/.exec(text.trim().toLowerCase()) ?? []
  const seconds = Number(digits) * (UNITS[unit] ?? Number.NaN)
  return seconds >= least && seconds <= MOST_SECONDS ? seconds : undefined
}

function countOf(text: string): number | undefined {
  const count = /^\d{1,7}$/.test(text.trim()) ? Number(text) : 0
  return count >= 1 && count <= MOST_CONNECTIONS ? count : undefined
}

function shorten(text: string): string {
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}

/**
 * JSON the way Mesos writes and means it: doubles keep a fraction (`15.0`), 64-bit integers are
 * bare numbers, slashes are escaped, empty lists are left out, fields with a default are written
 * even when unset (unless deprecated).
 *
 * **Source:** Apache Mesos `3rdparty/stout/include/stout/jsonify.hpp`, `protobuf.hpp`
 */

/** A JSON value; `bigint` for 64-bit integers, `undefined` for absent fields. */
export type Json =
  | string
  | number
  | bigint
  | boolean
  | null
  | undefined
  | readonly Json[]
  | JsonMessage

/** A JSON object. */
export interface JsonMessage {
  readonly [field: string]: Json
}

const DOUBLES: ReadonlySet<string> = new Set([
  'value',
  'timestamp',
  'failover_timeout',
  'heartbeat_interval_seconds',
  'delay_seconds',
  'interval_seconds',
  'timeout_seconds',
  'grace_period_seconds',
  'start_time',
  'cpus',
  'mem',
  'disk',
  'gpus',
])

/** What a field's message gets where it is unset, in the order of its protobuf. */
const DEFAULTS: Readonly<Record<string, JsonMessage>> = {
  ip_addresses: { protocol: 'IPv4' },
  framework_info: { failover_timeout: 0, checkpoint: false },
  agent_info: { port: 5051 },
  health_check: {
    delay_seconds: 15,
    interval_seconds: 10,
    timeout_seconds: 20,
    consecutive_failures: 3,
    grace_period_seconds: 10,
  },
}

/** Fields that are maps. */
const MAPS: ReadonlySet<string> = new Set(['offer_filters', 'limits'])

const DOCKER_DEFAULTS: JsonMessage = { network: 'HOST', privileged: false, force_pull_image: false }

/** How {@link writeJson} writes. */
export interface JsonStyle {
  /** v1 leaves empty lists out, v0 writes them. */
  readonly omitsEmptyLists: boolean
  /** Before 1.9 a map is a list of keys and values (MESOS-9901). */
  readonly mapsAreLists?: boolean
}

/** Writes a message. */
export function writeJson(message: JsonMessage, style: JsonStyle): string {
  return writeValue(message, '', style)
}

/** Reads JSON; integers beyond 2^53 become bigints, so that they are written back unharmed. */
export function readJson(text: string): unknown {
  const revive = (_key: string, value: unknown, context?: { readonly source?: string }) => {
    const isUnsafe =
      typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value)
    const source = context?.source ?? ''
    return isUnsafe && /^-?\d+$/.test(source) ? BigInt(source) : value
  }
  return JSON.parse(text, revive as (key: string, value: unknown) => unknown)
}

function writeValue(value: Json, field: string, style: JsonStyle): string {
  if (typeof value === 'string') return JSON.stringify(value).replaceAll('/', '\\/')
  if (typeof value === 'number') return writeNumber(value, field)
  if (typeof value !== 'object' || value === null) return String(value)
  if (isList(value)) return `[${value.map((item) => writeValue(item, field, style)).join(',')}]`
  if (style.mapsAreLists === true && MAPS.has(field)) {
    const entries = Object.entries(value).map(([key, item]) => ({ key, value: item }))
    return writeValue(entries, '', style)
  }
  const fields = Object.entries(withDefaults(value, field)).flatMap(([name, item]) => {
    const isOmitted =
      item === undefined || (style.omitsEmptyLists && isList(item) && item.length === 0)
    return isOmitted ? [] : [`${JSON.stringify(name)}:${writeValue(item, name, style)}`]
  })
  return `{${fields.join(',')}}`
}

function writeNumber(value: number, field: string): string {
  return DOUBLES.has(field) && Number.isInteger(value) ? `${value}.0` : String(value)
}

function withDefaults(message: JsonMessage, field: string): JsonMessage {
  const isDockerInfo = field === 'docker' && message['image'] !== undefined
  const defaults = isDockerInfo ? DOCKER_DEFAULTS : DEFAULTS[field]
  if (defaults === undefined) return message
  const missing = Object.entries(defaults).filter(([name]) => message[name] === undefined)
  return missing.length === 0 ? message : { ...message, ...Object.fromEntries(missing) }
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}

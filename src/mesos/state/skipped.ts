/** Why something was left out; bounded, since it is a metric's label. */
export type SkipReason =
  | 'task_malformed'
  | 'framework_malformed'
  | 'network_scope'
  | 'ports_malformed'
  | 'port_malformed'
  | 'port_number'
  | 'protocol'
  | 'label_value'
  | 'label_index'
  | 'address'

/** Something of Mesos' answer that was left out while the rest works. */
export interface Skipped {
  readonly reason: SkipReason
  /** Whose it is, e.g. `<framework id>/<task id>`; with reason and detail the identity. */
  readonly owner: string
  /** What exactly, e.g. `discovery port http: protocol "client"`. */
  readonly detail: string
  /** For whole tasks: TASK_INVALID. */
  readonly error?: Error
}

/** Receives what a parser leaves out of one task. */
export type SkipPart = (reason: SkipReason, detail: string) => void

/** The identity under which a skipped thing is logged once. */
export function skippedIdentityOf(skipped: Skipped): string {
  return `${skipped.reason} ${skipped.owner} ${skipped.detail}`
}

/** Foreign text for a log: quoted, at most 80 characters. */
export function quote(value: unknown): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? '[…]' : '{…}'
  const text = JSON.stringify(value) ?? 'undefined'
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}

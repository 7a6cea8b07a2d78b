/** Descriptions of the messages that are read: which field number means what. */
import { WIRE } from './wire.ts'

/** What a field holds. */
export type FieldKind =
  | { readonly kind: 'boolean' | 'double' | 'text' }
  | { readonly kind: 'int32' | 'int64' | 'uint32' | 'uint64' }
  | {
      readonly kind: 'enum'
      readonly names: ReadonlyMap<number, string>
      readonly texts: ReadonlySet<string>
    }
  | { readonly kind: 'message'; readonly type: () => MessageType }

/** One field of a message. */
export interface Field {
  readonly number: number
  /** In snake_case, as in Mesos' JSON. */
  readonly name: string
  readonly kind: FieldKind
  readonly isRepeated: boolean
  /** The default that proto2 declares for it. */
  readonly preset?: string | number | boolean
}

/** A field without its name, which is its key in {@link message}. */
export type FieldShape = Omit<Field, 'name'>

/** A message: the fields of it that we read. */
export interface MessageType {
  readonly name: string
  /** By field number; holes are fields that are skipped. */
  readonly fields: readonly (Field | undefined)[]
  readonly byName: ReadonlyMap<string, Field>
  /** The fields with a declared default. */
  readonly presets: readonly Field[]
}

/** Describes a message. */
export function message(name: string, shapes: Readonly<Record<string, FieldShape>>): MessageType {
  const known = Object.entries(shapes).map(([key, shape]): Field => ({ ...shape, name: key }))
  const fields: (Field | undefined)[] = Array.from({
    length: Math.max(...known.map((field) => field.number)) + 1,
  })
  for (const field of known) fields[field.number] = field
  return {
    name,
    fields,
    byName: new Map(known.map((field) => [field.name, field])),
    presets: known.filter(({ preset }) => preset !== undefined),
  }
}

/** A truth value. */
export function boolean(number: number, preset?: boolean): FieldShape {
  return scalar(number, { kind: 'boolean' }, preset)
}

/** `int32`. */
export function int32(number: number, preset?: number): FieldShape {
  return scalar(number, { kind: 'int32' }, preset)
}

/** `int64`. */
export function int64(number: number): FieldShape {
  return scalar(number, { kind: 'int64' })
}

/** `uint32`. */
export function uint32(number: number, preset?: number): FieldShape {
  return scalar(number, { kind: 'uint32' }, preset)
}

/** `uint64`. */
export function uint64(number: number): FieldShape {
  return scalar(number, { kind: 'uint64' })
}

/** `double`. */
export function double(number: number, preset?: number): FieldShape {
  return scalar(number, { kind: 'double' }, preset)
}

/** `string`. */
export function text(number: number, preset?: string): FieldShape {
  return scalar(number, { kind: 'text' }, preset)
}

/** An enum; numbers that are not among the names are skipped. */
export function oneOf(
  number: number,
  names: ReadonlyMap<number, string>,
  preset?: string,
): FieldShape {
  return scalar(number, { kind: 'enum', names, texts: new Set(names.values()) }, preset)
}

/** A nested message, given lazily since messages may contain themselves. */
export function nested(number: number, type: () => MessageType): FieldShape {
  return { number, kind: { kind: 'message', type }, isRepeated: false }
}

/** The same field, any number of times. */
export function repeated(shape: FieldShape): FieldShape {
  return { ...shape, isRepeated: true }
}

/** Names of an enum by number, e.g. `enumNames('TASK_', ['STARTING', 'RUNNING'])`. */
export function enumNames(
  prefix: string,
  names: readonly (string | undefined)[],
): ReadonlyMap<number, string> {
  const known = new Map<number, string>()
  for (const [number, name] of names.entries()) {
    if (name !== undefined) known.set(number, prefix + name)
  }
  return known
}

/** How values of the kind are written; another way makes a field an unknown one. */
export function wireOf({ kind }: FieldKind): number {
  switch (kind) {
    case 'boolean':
    case 'int32':
    case 'int64':
    case 'uint32':
    case 'uint64':
    case 'enum':
      return WIRE.varint
    case 'double':
      return WIRE.fixed64
    case 'text':
    case 'message':
      return WIRE.bytes
  }
}

function scalar(number: number, kind: FieldKind, preset?: string | number | boolean): FieldShape {
  return { number, kind, isRepeated: false, ...(preset === undefined ? {} : { preset }) }
}

/** An object of foreign JSON. */
export type JsonObject = Readonly<Record<string, unknown>>

/** The names that lead to a field, outermost first. */
export type FieldPath = readonly string[]

/** A field whose value is not what Mesos' protobuf allows there. */
export class FieldError extends Error {
  override readonly name = 'FieldError'
  /** Dotted path, e.g. `discovery.ports`. */
  readonly field: string

  constructor(field: string, expected: string) {
    super(`${field} is not ${expected}`)
    this.field = field
  }
}

/** Whether the value is an object, not a list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The object itself. @throws FieldError for anything else */
export function toObject(value: unknown, field: string): JsonObject {
  if (isObject(value)) return value
  throw new FieldError(field, 'an object')
}

/** The value at the path; undefined when any part is absent. @throws FieldError */
export function valueAt(root: JsonObject, path: FieldPath): unknown {
  let value: unknown = root
  for (let depth = 0; depth < path.length; depth++) {
    if (!isObject(value)) throw new FieldError(path.slice(0, depth).join('.'), 'an object')
    value = value[path[depth] as string] ?? undefined
    if (value === undefined) return undefined
  }
  return value
}

/** The object at the path. @throws FieldError */
export function objectAt(root: JsonObject, path: FieldPath): JsonObject | undefined {
  const value = valueAt(root, path)
  return value === undefined ? undefined : toObject(value, path.join('.'))
}

/** The list at the path, empty when absent (Mesos leaves empty lists out). @throws FieldError */
export function listAt(root: JsonObject, path: FieldPath): readonly unknown[] {
  const value = valueAt(root, path) ?? []
  if (Array.isArray(value)) return value
  throw new FieldError(path.join('.'), 'a list')
}

/** The objects of the list at the path. @throws FieldError */
export function objectsAt(root: JsonObject, path: FieldPath): readonly JsonObject[] {
  return listAt(root, path).map((item, index) => toObject(item, `${path.join('.')}[${index}]`))
}

/** The text at the path. @throws FieldError */
export function textAt(root: JsonObject, path: FieldPath): string | undefined {
  const value = valueAt(root, path)
  if (value === undefined || typeof value === 'string') return value
  throw new FieldError(path.join('.'), 'a string')
}

/** The text at the path, which must be there. @throws FieldError */
export function requiredTextAt(root: JsonObject, path: FieldPath): string {
  const text = textAt(root, path)
  if (text !== undefined) return text
  throw new FieldError(path.join('.'), 'set')
}

/** The number at the path. @throws FieldError */
export function numberAt(root: JsonObject, path: FieldPath): number | undefined {
  const value = valueAt(root, path)
  if (value === undefined || typeof value === 'number') return value
  throw new FieldError(path.join('.'), 'a number')
}

/** The boolean at the path. @throws FieldError */
export function booleanAt(root: JsonObject, path: FieldPath): boolean | undefined {
  const value = valueAt(root, path)
  if (value === undefined || typeof value === 'boolean') return value
  throw new FieldError(path.join('.'), 'a boolean')
}

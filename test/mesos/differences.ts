/**
 * How two plain values differ, as sorted paths without indices: `-path` is only in the first,
 * `+path` only in the second, `≠path` has other values.
 */
export function differences(first: unknown, second: unknown): readonly string[] {
  const found = new Set<string>()
  compare([first, second], '', found)
  return [...found].sort()
}

type Pair = readonly [unknown, unknown]

function compare(pair: Pair, path: string, found: Set<string>): void {
  const [first, second] = pair
  if (second === undefined && first !== undefined) found.add(`-${path}`)
  else if (first === undefined && second !== undefined) found.add(`+${path}`)
  else if (isList(first) && isList(second)) compareLists([first, second], path, found)
  else if (isPlain(first) && isPlain(second)) comparePlain([first, second], path, found)
  else if (!Object.is(first, second)) found.add(`≠${path}`)
}

function compareLists(
  [first, second]: readonly [readonly unknown[], readonly unknown[]],
  path: string,
  found: Set<string>,
): void {
  if (first.length !== second.length) found.add(`≠${path}.length`)
  for (const [index, item] of first.entries()) compare([item, second[index]], `${path}[]`, found)
}

function comparePlain(
  [first, second]: readonly [Plain, Plain],
  path: string,
  found: Set<string>,
): void {
  for (const key of new Set([...Object.keys(first), ...Object.keys(second)])) {
    compare([first[key], second[key]], path === '' ? key : `${path}.${key}`, found)
  }
}

type Plain = Readonly<Record<string, unknown>>

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value)
}

function isPlain(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !isList(value)
}

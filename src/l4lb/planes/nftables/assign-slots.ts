/**
 * Places endpoints into slots so that as few slots as possible change: an endpoint that is
 * wanted stays where it is; the others take the places that are left.
 *
 * @param held endpoints by slot, as text
 * @param wanted the endpoints, one for each slot
 * @returns the endpoints by slot; as many as wanted
 */
export function assignSlots(held: readonly string[], wanted: readonly string[]): string[] {
  const open = new Map<string, number>()
  for (const endpoint of wanted) open.set(endpoint, (open.get(endpoint) ?? 0) + 1)
  const assigned = wanted.map((_, slot) => {
    const endpoint = held[slot]
    return endpoint !== undefined && take(open, endpoint) ? endpoint : undefined
  })
  const rest = wanted.filter((endpoint) => take(open, endpoint))
  return assigned.map((endpoint) => endpoint ?? (rest.shift() as string))
}

function take(open: Map<string, number>, endpoint: string): boolean {
  const count = open.get(endpoint) ?? 0
  if (count === 0) return false
  open.set(endpoint, count - 1)
  return true
}

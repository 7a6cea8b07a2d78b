/** Text that is equal for equal values, whatever the order of their fields; absent ones do not count. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, field: unknown) => {
    if (field === null || typeof field !== 'object' || Array.isArray(field)) return field
    const entries = Object.entries(field).filter(([, item]) => item !== undefined && item !== null)
    return Object.fromEntries(entries.sort(([left], [right]) => (left < right ? -1 : 1)))
  })
}

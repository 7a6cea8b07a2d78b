/**
 * Different raw labels can mangle to one DNS name (`/web` and `web`, `/a/bc` and `/ab/c`).
 * Their services are never merged: one claimant owns the name, on every node the same.
 */

/** The raw labels with their frameworks, e.g. `/web@marathon`, that claim one name. */
export type NameClaims = ReadonlySet<string>

/** The claimant that has the name: the first in the order of the text. */
export function ownerOf(claims: NameClaims): string | undefined {
  return [...claims].sort()[0]
}

/** A master as the others see it. */
export interface MasterStanding {
  /** Whether its process runs. */
  readonly isUp: boolean
  /** On which side of the network it is. */
  readonly side: number
}

/**
 * Who leads, by its place in the list: the present leader as long as a majority of all masters hears
 * it, itself included; else the first that a majority hears; else nobody.
 */
export function chooseLeader(
  masters: readonly MasterStanding[],
  present: number | undefined,
): number | undefined {
  const hasQuorum = (index: number): boolean => {
    const own = masters[index]
    if (own?.isUp !== true) return false
    return masters.filter(({ isUp, side }) => isUp && side === own.side).length * 2 > masters.length
  }
  if (present !== undefined && hasQuorum(present)) return present
  const first = masters.findIndex((_, index) => hasQuorum(index))
  return first === -1 ? undefined : first
}

/** Something that must hold and does not; ends a run. */
export class Violation extends Error {
  /** The invariant, as `docs/gossip.md` names it. */
  readonly invariant: string

  constructor(invariant: string, message: string) {
    super(`${invariant}: ${message}`)
    this.name = 'Violation'
    this.invariant = invariant
  }
}

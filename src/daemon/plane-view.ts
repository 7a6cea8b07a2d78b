import type { PlaneChoice, PlaneDescription, PlaneKind } from '../l4lb/l4lb.ts'

/** The answer of `/v1/navstar/plane`. */
export interface PlaneView {
  /** The plane that serves. */
  readonly kind: string
  /** E.g. `the first that works here`. */
  readonly why: string
  /** A wish that does not count, and why. */
  readonly note?: string
  /** Every plane, in the order of preference. */
  readonly planes: readonly {
    readonly kind: string
    /** `serves`, `usable` or `unusable`. */
    readonly state: string
    /** It takes no new connections; its open ones go on. */
    readonly isRetired?: true
    /** What it does, or why it does not work. */
    readonly reason: string
    /** What it leaves out though it works. */
    readonly lacks: readonly string[]
  }[]
}

/** What is told of the planes of a host. */
export function planeViewOf({
  choice,
  planes,
  retired,
}: {
  readonly choice: PlaneChoice
  readonly planes: readonly PlaneDescription[]
  readonly retired: readonly PlaneKind[]
}): PlaneView {
  return {
    kind: choice.kind,
    why: choice.why,
    ...(choice.note !== undefined && { note: choice.note }),
    planes: planes.map(({ kind, isUsable, reason, lacks }) => ({
      kind,
      state: kind === choice.kind ? 'serves' : isUsable ? 'usable' : 'unusable',
      ...(retired.includes(kind) && { isRetired: true }),
      reason,
      lacks,
    })),
  }
}

/** Makes a course that fails as short and plain as it can be and still fail in the same way. */
import type { MesosRun } from './run.ts'
import { STEP_KINDS, type Step } from './steps.ts'

/** Plays a course. @returns what did not hold */
export type Play = (run: MesosRun) => string | undefined

/** A course is played so often at most. */
const MAX_PLAYS = 2000

/** The shortest failing course that was found; the given one when it does not fail. */
export function shrinkRun(run: MesosRun, play: Play): MesosRun {
  const way = wayOf(play(run))
  if (way === undefined) return run
  let left = MAX_PLAYS
  const fails = (steps: readonly Step[]) => left-- > 0 && wayOf(play({ ...run, steps })) === way
  let steps = run.steps
  for (let before = -1; before !== steps.length; ) {
    before = steps.length
    steps = shorter(steps, fails)
  }
  return { ...run, steps: plainer(steps, fails) }
}

/** Leaves out ever smaller pieces. */
function shorter(
  all: readonly Step[],
  fails: (steps: readonly Step[]) => boolean,
): readonly Step[] {
  let steps = all
  for (let size = Math.ceil(steps.length / 2); size >= 1; size = size === 1 ? 0 : size >> 1) {
    for (let at = 0; at < steps.length; ) {
      const rest = steps.toSpliced(at, size)
      if (fails(rest)) steps = rest
      else at += size
    }
  }
  return steps
}

/** Makes numbers zero where that changes nothing. */
function plainer(
  all: readonly Step[],
  fails: (steps: readonly Step[]) => boolean,
): readonly Step[] {
  let steps = all
  for (const [index, step] of all.entries()) {
    for (const plain of [
      { ...step, which: 0, amount: 0 },
      { ...step, which: 0 },
      { ...step, amount: 0 },
    ]) {
      const changed = steps.with(index, plain)
      if (!fails(changed)) continue
      steps = changed
      break
    }
  }
  return steps
}

/** Which rule failed, without the particulars. */
function wayOf(failure: string | undefined): string | undefined {
  return failure?.split('\n')[0]?.split(': ').slice(0, 2).join(': ')
}

/** E.g. `launch:0:7,kill:0:0`. */
export function textOfSteps(steps: readonly Step[]): string {
  return steps.map(({ kind, which, amount }) => `${kind}:${which}:${amount}`).join(',')
}

/** Reads what {@link textOfSteps} wrote. @throws Error for anything else */
export function parseSteps(text: string): readonly Step[] {
  return text.split(',').map((part) => {
    const [name, which, amount] = part.split(':')
    const kind = STEP_KINDS.find((known) => known === name)
    if (kind === undefined) throw new Error(`${part} is no step`)
    return { kind, which: Number(which), amount: Number(amount) }
  })
}

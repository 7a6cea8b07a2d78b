/** Runs work one piece after another, in the order in which it was given. */
export class Serial {
  #last: Promise<unknown> = Promise.resolve()

  /** Runs the work once what was given before has ended, however it ended. @returns its result */
  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work, work)
    this.#last = result.catch(() => undefined) // whoever gave it hears of it
    return result
  }
}

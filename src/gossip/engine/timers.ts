/** What is due when: a binary heap, ordered by time and then by age. */

/** Something that happens at a time. */
export interface Timer {
  readonly dueMs: number
  /** Ends it before its time. */
  cancel(): void
}

interface Entry extends Timer {
  readonly order: number
  run: ((lateMs: number) => void) | undefined
}

/** The engine's timers. They fire only when {@link Timers.fire} is called. */
export class Timers {
  readonly #heap: Entry[] = []
  readonly #nowMs: () => number
  #order = 0

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  /** When the next one is due; Infinity without any. */
  get nextDueMs(): number {
    this.#dropCancelled()
    return this.#heap[0]?.dueMs ?? Number.POSITIVE_INFINITY
  }

  /** @param run gets how late it comes, in milliseconds */
  after(delayMs: number, run: (lateMs: number) => void): Timer {
    const entry: Entry = {
      dueMs: this.#nowMs() + delayMs,
      order: this.#order++,
      run,
      cancel: () => {
        entry.run = undefined
      },
    }
    this.#heap.push(entry)
    this.#rise(this.#heap.length - 1)
    return entry
  }

  /** Runs everything that is due by now, also what these add and is due already. */
  fire(): void {
    const nowMs = this.#nowMs()
    for (let top = this.#heap[0]; top !== undefined && top.dueMs <= nowMs; top = this.#heap[0]) {
      this.#removeTop()
      const { run } = top
      top.run = undefined
      run?.(nowMs - top.dueMs)
    }
  }

  #dropCancelled(): void {
    while (this.#heap[0] !== undefined && this.#heap[0].run === undefined) this.#removeTop()
  }

  #removeTop(): void {
    const last = this.#heap.pop()
    if (last === undefined || this.#heap.length === 0) return
    this.#heap[0] = last
    this.#sink()
  }

  #rise(start: number): void {
    const heap = this.#heap
    for (let index = start; index > 0; ) {
      const parent = (index - 1) >> 1
      if (!isBefore(heap[index], heap[parent])) return
      swap(heap, index, parent)
      index = parent
    }
  }

  #sink(): void {
    const heap = this.#heap
    for (let index = 0; ; ) {
      const left = 2 * index + 1
      const smaller = isBefore(heap[left + 1], heap[left]) ? left + 1 : left
      if (!isBefore(heap[smaller], heap[index])) return
      swap(heap, index, smaller)
      index = smaller
    }
  }
}

function isBefore(left: Entry | undefined, right: Entry | undefined): boolean {
  if (left === undefined || right === undefined) return left !== undefined
  return left.dueMs < right.dueMs || (left.dueMs === right.dueMs && left.order < right.order)
}

function swap(heap: Entry[], left: number, right: number): void {
  const kept = heap[left]
  const other = heap[right]
  if (kept === undefined || other === undefined) return
  heap[left] = other
  heap[right] = kept
}

/** What shall happen when, earliest first; what is due at the same time, in the order it came. */

/** A heap with four children per node: fewer levels, and the keys lie side by side in memory. */
export class EventQueue<E> {
  #times = new Float64Array(1024)
  #orders = new Float64Array(1024)
  readonly #events: E[] = []
  #orderCount = 0

  get size(): number {
    return this.#events.length
  }

  /** When the next event is due; Infinity: never. */
  get nextMs(): number {
    return this.#events.length === 0 ? Number.POSITIVE_INFINITY : (this.#times[0] as number)
  }

  push(timeMs: number, event: E): void {
    const size = this.#events.length
    if (size === this.#times.length) this.#grow()
    this.#events.push(event)
    this.#rise(size, timeMs, event)
  }

  /** Takes the earliest event. */
  pop(): E | undefined {
    const first = this.#events[0]
    const last = this.#events.pop()
    const size = this.#events.length
    if (size > 0) this.#sink(size, last as E)
    return first
  }

  #rise(from: number, timeMs: number, event: E): void {
    const times = this.#times
    let index = from
    while (index > 0) {
      const parent = (index - 1) >> 2
      if ((times[parent] as number) <= timeMs) break
      this.#move(parent, index)
      index = parent
    }
    this.#put(index, timeMs, this.#orderCount++, event)
  }

  /** Lets the event that stood last sink from the top. */
  #sink(size: number, event: E): void {
    const timeMs = this.#times[size] as number
    const order = this.#orders[size] as number
    let index = 0
    for (let child = 1; child < size; child = index * 4 + 1) {
      const least = this.#leastOf(child, Math.min(child + 4, size))
      if (!this.#isBefore(least, timeMs, order)) break
      this.#move(least, index)
      index = least
    }
    this.#put(index, timeMs, order, event)
  }

  #leastOf(first: number, end: number): number {
    let least = first
    for (let index = first + 1; index < end; index++) {
      if (this.#isBefore(index, this.#times[least] as number, this.#orders[least] as number)) {
        least = index
      }
    }
    return least
  }

  #isBefore(index: number, timeMs: number, order: number): boolean {
    const own = this.#times[index] as number
    return own < timeMs || (own === timeMs && (this.#orders[index] as number) < order)
  }

  #move(from: number, to: number): void {
    this.#put(
      to,
      this.#times[from] as number,
      this.#orders[from] as number,
      this.#events[from] as E,
    )
  }

  // biome-ignore lint/complexity/useMaxParams: an object per move would cost more than the heap
  #put(index: number, timeMs: number, order: number, event: E): void {
    this.#times[index] = timeMs
    this.#orders[index] = order
    this.#events[index] = event
  }

  #grow(): void {
    const times = new Float64Array(this.#times.length * 2)
    const orders = new Float64Array(this.#times.length * 2)
    times.set(this.#times)
    orders.set(this.#orders)
    this.#times = times
    this.#orders = orders
  }
}

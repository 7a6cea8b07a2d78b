/** What can be read off the events of a fleet. */
import type { Fleet, FleetNode } from './fleet.ts'

/** How one node looked to another at a time. */
export interface Sighting {
  readonly observer: number
  readonly subject: number
  readonly state: string
  readonly atMs: number
}

/** A stretch of time, as `machineMs` counts it. */
export interface Span {
  readonly fromMs: number
  readonly toMs: number
}

/** False alarms closer than this, about one node, are one. */
const EPISODE_MS = 5000

/** All that nodes said about each other within a span, by time. */
export function sightingsIn(fleet: Fleet, { fromMs, toMs }: Span): Sighting[] {
  const numbers = new Map(fleet.nodes.map(({ name, number }) => [name, number]))
  const sightings: Sighting[] = []
  for (const { number, events } of fleet.nodes) {
    for (const event of events) {
      if (event.kind !== 'member' && event.kind !== 'suspicion') continue
      const { name, atMs } = event
      if (atMs < fromMs || atMs > toMs) continue
      const state = event.kind === 'member' ? event.state : 'doubted'
      sightings.push({ observer: number, subject: numbers.get(name) ?? 0, state, atMs })
    }
  }
  return sightings.sort((left, right) => left.atMs - right.atMs)
}

/** How long after `fromMs` each observer first saw the subject so; undefined: never. */
export function delaysUntil(
  observers: readonly FleetNode[],
  seen: {
    readonly subject: FleetNode
    readonly states: readonly string[]
    readonly fromMs: number
  },
): (number | undefined)[] {
  const { subject, states, fromMs } = seen
  return observers.map(({ events }) => {
    const first = events.find(
      (event) =>
        event.kind === 'member' &&
        event.name === subject.name &&
        event.atMs >= fromMs &&
        states.includes(event.state),
    )
    return first === undefined ? undefined : first.atMs - fromMs
  })
}

/** How long each value took to each other node. */
export function changeDelays(
  fleet: Fleet,
  changes: readonly { readonly node: FleetNode; readonly value: string }[],
): (number | undefined)[][] {
  return changes.map(({ node, value }) => {
    const published = node.events.find(
      (event) => event.kind === 'published' && event.value === value,
    )
    return fleet.nodes
      .filter((other) => other !== node)
      .map(({ events }) => {
        const heard = events.find(
          (event) => event.kind === 'change' && event.name === node.name && event.value === value,
        )
        if (heard === undefined || published === undefined) return undefined
        return heard.atMs - published.atMs
      })
  })
}

/** Episodes in which a node that lives was taken for doubted, or for dead. */
export interface FalseAlarms {
  readonly doubted: number
  readonly dead: number
}

/** Counts episodes; `isTrue` tells those sightings that are right. */
export function falseAlarms(
  sightings: readonly Sighting[],
  isTrue: (sighting: Sighting) => boolean,
): FalseAlarms {
  const wrong = sightings.filter((sighting) => !isTrue(sighting))
  return { doubted: episodes(wrong, 'doubted'), dead: episodes(wrong, 'dead') }
}

function episodes(sightings: readonly Sighting[], state: string): number {
  const lastMs = new Map<number, number>()
  let count = 0
  for (const { subject, atMs } of sightings.filter((sighting) => sighting.state === state)) {
    if (atMs - (lastMs.get(subject) ?? Number.NEGATIVE_INFINITY) > EPISODE_MS) count++
    lastMs.set(subject, atMs)
  }
  return count
}

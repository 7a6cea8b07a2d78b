/** Records as nodes have them, and changes of them. */
import type { Random } from '../../src/base/random.ts'
import { type OwnRecord, ownRecordIdOf, RECORD_KINDS } from '../../src/model/record.ts'
import { below, oneOf } from './dice.ts'
import type { Changes, Host } from './host.ts'
import type { Simulation } from './simulation.ts'

/** 99: of a newer node. */
const KINDS = [RECORD_KINDS.backends, RECORD_KINDS.names, RECORD_KINDS.addressClaim, 99]
const KEYS_PER_KIND = 8
/** Larger than a part of a delta. */
const LARGE_BYTES = 90_000

/** A record with a drawn value. */
export function drawRecord(random: Random, sizeBytes: number): OwnRecord {
  const kind = oneOf(random, KINDS)
  const key = `tcp/named:/web-${below(random, KEYS_PER_KIND)}@marathon:80`
  return { kind, schema: 1, key, value: drawBytes(random, sizeBytes) }
}

/** Bytes of a record's value. */
export function drawBytes(random: Random, sizeBytes: number): Uint8Array {
  const value = new Uint8Array(sizeBytes)
  for (let index = 0; index < Math.min(sizeBytes, 8); index++) value[index] = below(random, 256)
  return value
}

/** Some changes of a host's records: mostly one, of a small record; a third are deletions. */
export function drawChanges(random: Random, host: Host): Changes {
  const count = random.next() < 0.8 ? 1 : 1 + below(random, 10)
  return Array.from({ length: count }, () => drawChange(random, host))
}

function drawChange(random: Random, host: Host): Changes[number] {
  const ids = [...host.own.keys()]
  if (ids.length > 2 && random.next() < 0.35) return [oneOf(random, ids), undefined]
  const isLarge = random.next() < 0.01
  const record = drawRecord(random, isLarge ? LARGE_BYTES : 8 + below(random, 300))
  return [ownRecordIdOf(record), record]
}

/** Makes hosts change their records until the end, each at its own moments. */
export function keepChanging(simulation: Simulation, rhythm: Rhythm): void {
  const { random } = simulation
  repeat(simulation, rhythm, () => {
    const host = oneOf(random, simulation.hosts)
    simulation.publish(host, drawChanges(random, host))
  })
}

/** How often something happens on average, and until when. */
export interface Rhythm {
  readonly everyMs: number
  readonly untilMs: number
}

/** Does something again and again, first at once. */
export function repeat(simulation: Simulation, rhythm: Rhythm, act: () => void): void {
  const { everyMs, untilMs } = rhythm
  const step = (): void => {
    if (simulation.nowMs >= untilMs) return
    act()
    simulation.at(simulation.nowMs + simulation.random.next() * 2 * everyMs, step)
  }
  simulation.at(simulation.nowMs, step)
}

/**
 * A client of the operator stream in virtual time: it subscribes where a master leads, comes back
 * after a break, asks for GET_STATE, and hands on what a real one would have decoded.
 */
import type { JsonMessage } from '../../../src/demo/agent/json.ts'
import type { SimulatedCluster } from '../../../src/demo/mesos/cluster.ts'
import { type Encoder, recordOf } from '../../../src/demo/mesos/encoding.ts'
import type { World } from '../../../src/demo/mesos/schedule.ts'
import type { StreamEnd } from '../../../src/demo/mesos/subscribers.ts'
import { below } from '../dice.ts'
import { OrderCheck } from './order.ts'

/** As long as bytes may be on their way. */
const LAG_MS = 500

/** What is made of the bytes; the product in most tests. */
export interface Ear {
  /** Bytes of a stream, cut anywhere. */
  hear(bytes: Uint8Array): void
  /** A stream begins: nothing of an earlier one is left over. */
  begin(contentType: string): void
  /** The stream broke. */
  lose(): void
  /** GET_STATE is asked for. */
  beginAudit(): void
  /** The answer to GET_STATE. */
  audited(bytes: Uint8Array, contentType: string): void
}

/** How a listener is made. */
export interface ListenerOptions {
  readonly world: World
  readonly cluster: SimulatedCluster
  readonly encoder: Encoder
  readonly ear: Ear | undefined
  /** Cuts records at drawn places instead of handing them on whole. */
  readonly cutsAnywhere: boolean
  /** Waits so long before it subscribes again; default 1 s. */
  readonly retryMs?: number
  readonly say?: (line: string) => void
}

/** A client of a simulated cluster. */
export class Listener {
  readonly #options: ListenerOptions
  #leave: (() => void) | undefined
  #isAuditing = false
  #isStalled = false
  #rest: Uint8Array = Buffer.alloc(0)
  /** The present stream as a naive listener sees it, and checks its order. */
  order: OrderCheck | undefined
  eventCount = 0

  constructor(options: ListenerOptions) {
    this.#options = options
    this.#subscribe()
  }

  get isListening(): boolean {
    return this.#leave !== undefined
  }

  /** The connection breaks from this side; it subscribes again later. */
  cut(): void {
    this.#leave?.()
    this.#ended('reset')
  }

  /** Stops for good. */
  close(): void {
    this.#leave?.()
  }

  /** The stream's bytes stop, and go on later; masters send and answer meanwhile. */
  stall(durationMs: number): void {
    if (!this.isListening) return
    this.flush()
    this.#isStalled = true
    const { order } = this
    this.#options.world.schedule.after(durationMs, () => {
      if (order === this.order) this.flush()
    })
  }

  /** Asks the leader for GET_STATE; request and answer travel beside the stream. */
  audit(travelMs = 0): void {
    const { ear, world } = this.#options
    if (ear === undefined || !this.isListening || this.#isAuditing) return
    this.#isAuditing = true
    // Nobody audits a stream that has not begun: SUBSCRIBED is heard by now.
    if (!this.#isStalled) this.flush()
    ear.beginAudit()
    const { order } = this
    world.schedule.after(travelMs, () => this.#answer(travelMs, order))
  }

  #answer(travelMs: number, order: OrderCheck | undefined): void {
    const { cluster, encoder, ear, world } = this.#options
    const { master } = cluster
    if (master === undefined || order !== this.order) return
    const answer = { type: 'GET_STATE', get_state: master.snapshot }
    const bytes = encoder.encode(answer, 'MasterResponse')
    world.schedule.after(travelMs, () => {
      // A stream that broke takes its audit with it.
      if (!this.isListening || order !== this.order) return
      this.#isAuditing = false
      ear?.audited(bytes, encoder.contentType)
    })
  }

  #subscribe(): void {
    const { cluster, world, encoder, ear } = this.#options
    const { master } = cluster
    if (this.#leave !== undefined) return
    if (master === undefined) {
      this.#later()
      return
    }
    this.order = new OrderCheck(cluster.rules)
    this.#isStalled = false
    this.#rest = Buffer.alloc(0)
    ear?.begin(encoder.contentType)
    const beatsFirst = world.random.next() < 0.3
    this.#leave = master.subscribers.add(
      { send: (event) => this.#take(event), close: (how) => this.#ended(how) },
      master.snapshot,
      { beatsFirst },
    )
  }

  #take(event: JsonMessage): void {
    const { encoder, cutsAnywhere, ear, say, world } = this.#options
    this.eventCount++
    say?.(`${world.schedule.nowMs().toFixed(0)} ${lineOf(event)}`)
    this.order?.see(event)
    if (ear === undefined) return
    const bytes = recordOf(encoder.encode(event, 'Event'))
    if (this.#isStalled) {
      this.#rest = Buffer.concat([this.#rest, bytes])
      return
    }
    if (!cutsAnywhere) {
      ear.hear(bytes)
      return
    }
    const all = Buffer.concat([this.#rest, bytes])
    const at = below(world.random, all.length + 1)
    ear.hear(all.subarray(0, at))
    this.#rest = all.subarray(at)
    const { order } = this
    // The rest of it comes soon, if nothing does before.
    world.schedule.after(LAG_MS * world.random.next(), () => {
      if (order === this.order && !this.#isStalled) this.flush()
    })
  }

  /** What was held back arrives. */
  flush(): void {
    this.#isStalled = false
    if (this.#rest.length > 0) this.#options.ear?.hear(this.#rest)
    this.#rest = Buffer.alloc(0)
  }

  #ended(how: StreamEnd): void {
    this.#leave = undefined
    this.#isAuditing = false
    this.#rest = Buffer.alloc(0)
    this.#options.say?.(`stream ended: ${how}`)
    this.#options.ear?.lose()
    this.#later()
  }

  #later(): void {
    const { world, retryMs = 1000 } = this.#options
    world.schedule.after(retryMs * (0.5 + world.random.next()), () => this.#subscribe())
  }
}

function lineOf(event: JsonMessage): string {
  const { type, ...content } = event
  const text = JSON.stringify(content, (_key, value) =>
    typeof value === 'bigint' ? String(value) : (value as unknown),
  )
  return `${type} ${text.slice(0, 3000)}`
}

/** A node that receives what another states. */
import type { Delta } from '../../../src/gossip/engine/messages.ts'
import { Records } from '../../../src/gossip/engine/records/records.ts'
import type { EngineSettings } from '../../../src/gossip/engine/settings.ts'
import { announce } from './nodes.ts'
import { Owner } from './own-node.ts'
import { Stand } from './stand.ts'

/** So that five records make several parts. */
export const SMALL_PARTS: Partial<EngineSettings> = { partBytes: 60 }

/** A node that receives what the owner states. */
export class Receiver {
  readonly stand: Stand = new Stand('receiver')
  readonly records: Records = new Records(this.stand.ground)

  constructor(...owners: readonly Owner[]) {
    for (const { stand } of owners) {
      this.stand.ground.membership.announce(announce(stand.ground.notary))
    }
  }

  receive(delta: Delta): ReturnType<Records['receive']> {
    return this.stand.call(() => this.records.receive(delta))
  }

  /** Takes the rows that changed: `{ key: value | undefined }`. */
  takeRows(): Record<string, string | undefined> {
    const rows = this.stand.rows.splice(0)
    return Object.fromEntries(
      rows.map(([id, row]) => [id.split('/').at(-1), row && Buffer.from(row.value).toString()]),
    )
  }
}

/** An owner that stated these. */
export function ownerOf(
  values: Readonly<Record<string, string>>,
  settings: Partial<EngineSettings> = {},
): Owner {
  return new Owner('owner', { settings }).publish(values)
}

/** Five records. */
export const VALUES: Readonly<Record<string, string>> = {
  a: 'one',
  b: 'two',
  c: 'three',
  d: 'four',
  e: 'five',
}

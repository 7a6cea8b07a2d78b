import { beforeEach, describe, expect, it } from 'vitest'
import type { Service } from '../../src/model/vip.ts'
import { requireFeature } from '../feature.ts'
import { ADDRESSES } from './network.ts'
import { type Rig, service, tcp, udp } from './rig.ts'
import { SwitchedRig, sweepAt } from './switching.ts'
import type { Tally } from './traffic.ts'
import { useRig } from './use-rig.ts'

const SWITCHES = 6
const CLIENTS = ['host', 'c2'] as const
const BACKENDS = ['c1', 'c3', 'remote'] as const

/** Flows that each client opens by each plane. */
const GROUPS = {
  tcp: { to: tcp('11.5.1.1', 80), count: 40 },
  tcp6: { to: tcp('fd01:c::511', 80), count: 20 },
  udp: { to: udp('11.5.1.1', 80), count: 10 },
} as const

describe.each(['ebpf', 'nftables'] as const)('the ipvs plane in turn with %s', (other) => {
  const rig = useRig({ kind: 'ipvs' }, async (opened) => {
    for (const site of BACKENDS) await opened.serve(site, 8080)
  })
  beforeEach((ctx) => requireFeature(ctx, other))

  const title = `breaks no open connection over ${SWITCHES} switches`
  it(title, { timeout: 120_000 }, async () => {
    const switched = new SwitchedRig(rig())
    await switched.serve(...services())
    const kinds = ['ipvs', other] as const
    for (const kind of kinds) {
      if (kind !== switched.plane.kind) await switched.switchTo(kind)
      await openFlows(rig(), kind)
    }
    const before = await talk(rig(), kinds)
    for (let count = 1; count <= SWITCHES; count++) {
      await switched.switchTo(count % 2 === 0 ? other : 'ipvs')
      const after = await talk(rig(), kinds)
      expect(after, `after switch ${count} to ${switched.plane.kind}`).toEqual(before)
    }
    // Open connections need it still.
    expect(await sweepAt('ipvs', rig().places.paths)).toBe(false)
    expect(await talk(rig(), kinds)).toEqual(before)
  })
})

function services(): Service[] {
  const on = (family: 4 | 6) =>
    BACKENDS.map((site): [string, number] => [ADDRESSES[site][family], 8080])
  return [
    service('tcp', ['11.5.1.1', 80], on(4)),
    service('udp', ['11.5.1.1', 80], on(4)),
    service('tcp', ['fd01:c::511', 80], on(6)),
  ]
}

async function openFlows(rig: Rig, kind: string): Promise<void> {
  for (const client of CLIENTS) {
    for (const [group, { to, count }] of Object.entries(GROUPS)) {
      await rig.at(client).openMany(`${kind} ${group}`, count, to)
    }
  }
}

/** An exchange on each open flow. @returns by client and group how many each server answered */
async function talk(rig: Rig, kinds: readonly string[]): Promise<Record<string, Tally>> {
  const tallies: Record<string, Tally> = {}
  for (const client of CLIENTS) {
    for (const group of kinds.flatMap((kind) => Object.keys(GROUPS).map((at) => `${kind} ${at}`))) {
      tallies[`${client} ${group}`] = await rig.at(client).sayAll(group)
    }
  }
  return tallies
}

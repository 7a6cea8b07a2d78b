import { createSocket } from 'node:dgram'
import { writeFileSync } from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import { type Log, silentLog } from '../../src/base/log.ts'
import { VirtualClock } from '../../src/base/virtual-clock.ts'
import { frameOf } from '../../src/dns/framing.ts'
import type { Endpoint } from '../../src/model/endpoint.ts'
import { formatEndpoint } from '../../src/model/vip.ts'
import { edited, queryPacket, told } from './packets.ts'
import {
  askUdp,
  eventually,
  openTcp,
  type RunningServer,
  type ServerChoice,
  startServer,
} from './running-server.ts'
import {
  type Arrival,
  openUpstream,
  replyTo,
  type ScriptedUpstream,
  truncatedReplyTo,
} from './scripted-upstream.ts'

const running: RunningServer[] = []
const upstreams: ScriptedUpstream[] = []

afterEach(async () => {
  for (const server of running.splice(0)) await server.close()
  for (const upstream of upstreams.splice(0)) await upstream.close()
})

type Act = (arrival: Arrival) => void

/** A server that forwards to upstreams which act like this, in this order. */
async function start(
  acts: readonly Act[],
  choice?: ServerChoice,
): Promise<RunningServer & { readonly at: Endpoint }> {
  for (const act of acts) upstreams.push(await openUpstream(act))
  const addresses = upstreams.map(({ address }) => address)
  const server = await startServer({ upstreams: addresses, ...choice })
  running.push(server)
  const at = server.endpoints[0]
  if (at === undefined) throw new Error('no address')
  return { ...server, at }
}

const good: Act = ({ packet, reply }) => reply(replyTo(packet, ['192.0.2.1']))
const silent: Act = () => undefined
const QUERY = queryPacket({ name: 'Example.org', id: 99 })

/** What the client hears; `nothing` when it hears nothing. */
async function heard(at: Endpoint, packet = QUERY): Promise<string> {
  const reply = await askUdp(at, packet)
  if (reply === undefined) return 'nothing'
  expect(reply.readUInt16BE(0)).toBe(packet.readUInt16BE(0))
  const { rcode, answers } = told(reply)
  return [rcode, ...answers].join(' ')
}

const ANSWER = 'NOERROR Example.org 60 A 192.0.2.1'

describe('a query for another name', () => {
  test('is relayed as it is, with another id and port each time', async () => {
    const { at, metric } = await start([good])
    const asked = queryPacket({ name: 'Example.org', id: 99, payloadSizeBytes: 1400 })
    for (let turn = 0; turn < 8; turn++) expect(await heard(at, asked)).toBe(ANSWER)
    const arrivals = upstreams[0]?.arrivals ?? []
    for (const { packet } of arrivals) expect(packet.subarray(2)).toEqual(asked.subarray(2))
    expect(new Set(arrivals.map(({ packet }) => packet.readUInt16BE(0))).size).toBeGreaterThan(6)
    expect(new Set(arrivals.map(({ port }) => port)).size).toBeGreaterThan(6)
    expect(await metric('navstar_dns_queries_total', { route: 'forward' })).toBe(8)
    expect(await metric('navstar_dns_responses_total', { rcode: 'NOERROR' })).toBe(8)
  })

  test('keeps the spelling of the client when the upstream changes it', async () => {
    const { at } = await start([
      ({ packet, reply }) => {
        reply(edited(replyTo(packet, []), (copy) => copy.write('example', 13)))
      },
    ])
    const reply = await askUdp(at, QUERY)
    expect(reply && told(reply).question).toBe('Example.org A')
  })

  test('comes by TCP when the client came by TCP', async () => {
    const { at } = await start([good])
    const client = await openTcp(at)
    client.socket.write(frameOf(QUERY))
    await client.received(1)
    client.socket.destroy()
    expect(client.replies[0]?.readUInt16BE(0)).toBe(99)
    expect(upstreams[0]?.arrivals.map(({ transport }) => transport)).toEqual(['tcp'])
  })
})

describe('an upstream that does not answer well', () => {
  const rcodes = [
    ['SERVFAIL', 2],
    ['REFUSED', 5],
    ['FORMERR', 1],
  ] as const
  test.for(rcodes)('%s is passed over for a good answer', async ([, rcode]) => {
    const bad: Act = ({ packet, reply }) => reply(replyTo(packet, [], rcode))
    const { at, metric } = await start([bad, good])
    expect(await heard(at)).toBe(ANSWER)
    expect(await metric('navstar_dns_upstream_failures_total', { reason: 'bad_answer' })).toBe(1)
  })

  test('NXDOMAIN is a good answer', async () => {
    const { at } = await start([({ packet, reply }) => reply(replyTo(packet, [], 3)), good])
    expect(await heard(at)).toBe('NXDOMAIN')
    expect(upstreams[1]?.arrivals).toHaveLength(0)
  })

  test('its bad answer is better than none', async () => {
    const refuse: Act = ({ packet, reply }) => reply(replyTo(packet, [], 5))
    const { at } = await start([refuse, refuse])
    expect(await heard(at)).toBe('REFUSED')
  })

  test('an error without a question counts as bad answer', async () => {
    const bare: Act = ({ packet, reply }) => {
      const header = edited(packet.subarray(0, 12), (copy) => {
        copy.writeUInt16BE(0x8001, 2)
        copy.fill(0, 4)
      })
      reply(header)
    }
    const { at } = await start([bare, good])
    expect(await heard(at)).toBe(ANSWER)
  })

  test('a closed port makes the next one be asked at once', async () => {
    const { at, metric } = await start([good, good])
    await upstreams.shift()?.close()
    expect(await heard(at)).toBe(ANSWER)
    expect(await metric('navstar_dns_upstream_failures_total', { reason: 'unreachable' })).toBe(1)
  })
})

describe('a lost reply', () => {
  test('makes the next upstream be asked after two seconds', async () => {
    const clock = new VirtualClock()
    const { at, metric } = await start([silent, good], { clock })
    const reply = heard(at)
    await upstreams[0]?.arrived(1)
    await clock.advance(1999)
    expect(upstreams[1]?.arrivals).toHaveLength(0)
    await clock.advance(1)
    expect(await reply).toBe(ANSWER)
    expect(await metric('navstar_dns_upstream_failures_total', { reason: 'timeout' })).toBe(1)
  })

  test('that comes late still wins when nobody else answered', async () => {
    const clock = new VirtualClock()
    const { at } = await start([silent, silent], { clock })
    const reply = heard(at)
    await upstreams[0]?.arrived(1)
    await clock.advance(2000)
    await upstreams[1]?.arrived(1)
    const first = upstreams[0]?.arrivals[0]
    if (first !== undefined) good(first)
    expect(await reply).toBe(ANSWER)
  })

  test('of every upstream is SERVFAIL, counted, and logged once in ten seconds', async () => {
    const clock = new VirtualClock()
    const lines: unknown[] = []
    const log: Log = { ...silentLog, warn: (message, fields) => lines.push([message, fields]) }
    const { at, metric } = await start([silent], { clock, log })
    for (let turn = 1; turn <= 2; turn++) {
      const reply = heard(at)
      await upstreams[0]?.arrived(turn)
      await clock.advance(2000)
      expect(await reply).toBe('SERVFAIL')
    }
    expect(await metric('navstar_dns_forward_failures_total', { reason: 'all_failed' })).toBe(2)
    expect(lines).toMatchObject([
      ['dns query could not be forwarded', { error: { code: 'DNS_FORWARD_FAILED' } }],
    ])
    await clock.advance(10_000)
    const reply = heard(at)
    await upstreams[0]?.arrived(3)
    await clock.advance(2000)
    await reply
    expect(lines[1]).toMatchObject(['dns query could not be forwarded', { heldBack: 1 }])
  })
})

describe('a forged reply', () => {
  const forgeries: readonly (readonly [string, (reply: Buffer) => void])[] = [
    ['with another id', (reply) => reply.writeUInt16BE(reply.readUInt16BE(0) ^ 1, 0)],
    ['to another question', (reply) => reply.write('x', 13)],
    ['of another type', (reply) => reply.writeUInt16BE(28, 12 + 13)],
    ['that is a query', (reply) => reply.writeUInt8(0x01, 2)],
    ['without a question', (reply) => reply.writeUInt16BE(0, 4)],
    ['cut short', (reply) => reply.fill(0, 4)],
  ]
  test.for(forgeries)('%s is ignored, the real one taken', async ([, forge]) => {
    const act: Act = ({ packet, reply }) => {
      reply(edited(replyTo(packet, ['203.0.113.66']), forge))
      reply(replyTo(packet, ['192.0.2.1']))
    }
    const { at } = await start([act])
    expect(await heard(at)).toBe(ANSWER)
  })

  test('from another source is ignored', async () => {
    const forger = createSocket('udp4')
    const act: Act = ({ packet, port, reply }) => {
      forger.send(replyTo(packet, ['203.0.113.66']), port, '127.0.0.1', () => {
        reply(replyTo(packet, ['192.0.2.1']))
      })
    }
    const { at } = await start([act])
    expect(await heard(at)).toBe(ANSWER)
    forger.close()
  })
})

describe('a truncated reply', () => {
  const many = Array.from({ length: 60 }, (_, index) => `192.0.2.${index}`)
  const byTcp =
    (addresses: readonly string[]): Act =>
    ({ packet, transport, reply }) =>
      reply(transport === 'udp' ? truncatedReplyTo(packet) : replyTo(packet, addresses))

  test('is asked for again by TCP', async () => {
    const { at } = await start([byTcp(['192.0.2.1'])])
    expect(await heard(at)).toBe(ANSWER)
    expect(upstreams[0]?.arrivals.map(({ transport }) => transport)).toEqual(['udp', 'tcp'])
  })

  test('stays truncated when the whole one does not fit the client', async () => {
    const { at } = await start([byTcp(many)])
    const reply = await askUdp(at, QUERY)
    expect(reply && told(reply)).toMatchObject({ flags: 'tc rd ra', answers: [] })
  })
})

describe('without an upstream', () => {
  test('a query is SERVFAIL', async () => {
    const { at, metric } = await start([])
    expect(await heard(at)).toBe('SERVFAIL')
    expect(await metric('navstar_dns_forward_failures_total', { reason: 'no_upstream' })).toBe(1)
  })

  test('queries go to the resolvers of resolv.conf', async () => {
    const upstream = await openUpstream(good)
    upstreams.push(upstream)
    const port = upstream.address.split(':')[1]
    const resolvConf = `# a comment\nsearch example.org\nnameserver [127.0.0.1]:${port}\n`
    const { at } = await start([], { upstreams: [], resolvConf })
    expect(await heard(at)).toBe(ANSWER)
  })

  test('the server never asks itself', async () => {
    const { at, metric, endpoints, resolvConfPath } = await start([], { upstreams: [] })
    const lines = endpoints.map((own) => `nameserver ${formatEndpoint(own)}\n`)
    writeFileSync(resolvConfPath, lines.join(''))
    expect(await heard(at)).toBe('SERVFAIL')
    expect(await metric('navstar_dns_queries_total')).toBe(1)
    expect(await metric('navstar_dns_forward_failures_total', { reason: 'no_upstream' })).toBe(1)
  })
})

test('more queries than may wait are SERVFAIL at once, and counted', async () => {
  const { at, metric } = await start([silent])
  const client = createSocket('udp4')
  const replies: Buffer[] = []
  client.on('message', (reply) => replies.push(reply))
  const inFlight = () => metric('navstar_dns_forwards_in_flight')
  for (let sent = 0; sent < 1024; sent += 64) {
    for (let id = sent; id < sent + 64; id++)
      client.send(
        edited(QUERY, (copy) => copy.writeUInt16BE(id, 0)),
        at.port,
        at.address,
      )
    await eventually(async () => (await inFlight()) === sent + 64)
  }
  client.send(
    edited(QUERY, (copy) => copy.writeUInt16BE(5000, 0)),
    at.port,
    at.address,
  )
  await eventually(() => replies.length > 0)
  client.close()
  expect(replies[0]?.readUInt16BE(0)).toBe(5000)
  expect(await metric('navstar_dns_forward_failures_total', { reason: 'overload' })).toBe(1)
})

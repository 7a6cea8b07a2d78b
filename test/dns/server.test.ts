import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import fc from 'fast-check'
import { Registry } from 'prom-client'
import { afterEach, expect, test } from 'vitest'
import { systemClock } from '../../src/base/clock.ts'
import type { Log } from '../../src/base/log.ts'
import { silentLog } from '../../src/base/log.ts'
import { seededRandom } from '../../src/base/random.ts'
import { Scope } from '../../src/base/scope.ts'
import { Table } from '../../src/base/table.ts'
import { VirtualClock } from '../../src/base/virtual-clock.ts'
import { DNS_DEFAULTS } from '../../src/dns/config.ts'
import { startDns } from '../../src/dns/dns.ts'
import { frameOf } from '../../src/dns/framing.ts'
import { TCP_CONNECTION_LIMIT, TCP_IDLE_MS } from '../../src/dns/tcp-listener.ts'
import type { Endpoint } from '../../src/model/endpoint.ts'
import type { Ip } from '../../src/model/ip.ts'
import type { NameRecord } from '../../src/model/name-record.ts'
import { edited, queryPacket, told } from './packets.ts'
import {
  askUdp,
  type Client,
  eventually,
  openTcp,
  type RunningServer,
  type ServerChoice,
  startServer,
  ZONE,
} from './running-server.ts'

const running: RunningServer[] = []
const clients: Client[] = []

afterEach(async () => {
  for (const { socket } of clients.splice(0)) socket.destroy()
  for (const server of running.splice(0)) await server.close()
})

async function start(choice?: ServerChoice): Promise<RunningServer & { readonly at: Endpoint }> {
  const server = await startServer(choice)
  running.push(server)
  const at = server.endpoints[0]
  if (at === undefined) throw new Error('no address')
  return { ...server, at }
}

async function connectTo(at: Endpoint): Promise<Client> {
  const client = await openTcp(at)
  clients.push(client)
  return client
}

const WEB = queryPacket({ name: `web.marathon.${ZONE}`, id: 7 })

test('a connection carries many queries, however they are cut', async () => {
  const { at } = await start()
  const client = await connectTo(at)
  const stream = Buffer.concat(
    [1, 2, 3].map((id) => frameOf(queryPacket({ name: `web.marathon.${ZONE}`, id }))),
  )
  for (const byte of stream) client.socket.write(Buffer.from([byte]))
  await client.received(3)
  expect(client.replies.map((reply) => reply.readUInt16BE(0))).toEqual([1, 2, 3])
})

test('a client that closes its half still gets its answers', async () => {
  const { at } = await start()
  const client = await connectTo(at)
  client.socket.end(frameOf(WEB))
  await client.received(1)
  await client.closed
})

test('a connection without a query is closed after ten seconds, an active one is not', async () => {
  const clock = new VirtualClock()
  const { at, metric } = await start({ clock })
  const [idle, active] = [await connectTo(at), await connectTo(at)]
  await eventually(async () => (await metric('navstar_dns_tcp_connections')) === 2)
  await clock.advance(TCP_IDLE_MS - 2000)
  active.socket.write(frameOf(WEB))
  await active.received(1)
  await clock.advance(3000)
  await idle.closed
  active.socket.write(frameOf(WEB))
  await active.received(2)
  expect(await metric('navstar_dns_tcp_connections')).toBe(1)
})

test('connections beyond the limit are closed and counted, the others served', async () => {
  const { at, metric } = await start()
  const first = await connectTo(at)
  for (let index = 1; index < TCP_CONNECTION_LIMIT; index++) await connectTo(at)
  const extra = await connectTo(at)
  await extra.closed
  expect(await metric('navstar_dns_dropped_total', { reason: 'connections' })).toBe(1)
  first.socket.write(frameOf(WEB))
  await first.received(1)
})

test('a response packet is never answered, so that two servers cannot loop', async () => {
  const { at, metric } = await start()
  const response = edited(WEB, (copy) => copy.writeUInt8(0x81, 2))
  const socket = createSocket('udp4')
  const replies: Buffer[] = []
  socket.on('message', (message) => replies.push(message))
  socket.send(response, at.port, at.address)
  await eventually(async () => (await metric('navstar_dns_dropped_total')) === 1)
  socket.send(WEB, at.port, at.address)
  await once(socket, 'message')
  socket.close()
  expect(replies).toHaveLength(1)
  expect(await metric('navstar_dns_responses_total')).toBe(1)
})

test('a malformed message is answered FORMERR, dropped without a header, and counted', async () => {
  const { at, metric } = await start()
  const reply = await askUdp(at, WEB.subarray(0, 20))
  expect(reply && told(reply)).toMatchObject({ rcode: 'FORMERR', question: '' })
  const client = await connectTo(at)
  client.socket.write(Buffer.concat([frameOf(Buffer.from([1, 2, 3])), frameOf(WEB)]))
  await client.received(1)
  const name = 'navstar_dns_malformed_messages_total'
  expect(await metric(name, { transport: 'udp' })).toBe(1)
  expect(await metric(name, { transport: 'tcp' })).toBe(1)
})

test('an address that cannot be bound does not stop the others, and is tried again', async () => {
  const holder = createSocket('udp4')
  holder.bind(0, '127.0.0.2')
  await once(holder, 'listening')
  const lines: string[] = []
  const log: Log = { ...silentLog, error: (message) => lines.push(message) }
  const taken = `127.0.0.2:${holder.address().port}`
  const clock = new VirtualClock()
  const { dns, endpoints, metric } = await start({ listen: [taken, '127.0.0.1:0'], clock, log })
  expect(dns.addresses()).toMatchObject([
    { address: taken, state: 'failed', error: { code: 'DNS_BIND_FAILED', effect: 'none' } },
    { state: 'listening' },
  ])
  expect(await metric('navstar_dns_addresses', { state: 'failed' })).toBe(1)
  const other = endpoints[1]
  expect(other && (await askUdp(other, WEB))?.readUInt16BE(0)).toBe(7)
  await clock.advance(20_000)
  expect(lines).toHaveLength(1)
  await new Promise<void>((resolve) => holder.close(resolve))
  await clock.advance(5_000)
  await eventually(() => dns.addresses()[0]?.state === 'listening')
  expect(dns.addresses()[0]?.error).toBeUndefined()
})

test('the wildcards of both families listen on one port', async () => {
  const { at } = await start({ listen: ['0.0.0.0:0'] })
  const { dns, at: at6 } = await start({ listen: [`[::]:${at.port}`] })
  expect(dns.addresses()).toEqual([{ address: `[::]:${at.port}`, state: 'listening' }])
  const loopback = { ...at6, address: '::1' as Ip }
  expect((await askUdp(loopback, WEB))?.readUInt16BE(0)).toBe(7)
})

test('an address in the options that is none is an error of the configuration', async () => {
  const context = { registry: new Registry(), names: new Table<string, NameRecord>() }
  const scope = new Scope(() => undefined)
  for (const wrong of [{ listen: ['dns.example:53'] }, { upstreams: ['10.0.0.300'] }]) {
    const options = { ...DNS_DEFAULTS, ...wrong }
    const machine = { clock: systemClock, random: seededRandom(1), log: silentLog }
    expect(() => startDns({ options, scope, ...context, ...machine })).toThrow(
      expect.objectContaining({ code: 'CONFIG_INVALID' }),
    )
  }
  await scope.close()
})

test('the server stops with connections open and queries waiting', async () => {
  const silent = createSocket('udp4')
  silent.bind(0, '127.0.0.1')
  await once(silent, 'listening')
  const upstreams = [`127.0.0.1:${silent.address().port}`]
  const { at, metric } = await start({ upstreams })
  const client = await connectTo(at)
  client.socket.write(frameOf(WEB))
  await client.received(1)
  const socket = createSocket('udp4')
  socket.send(queryPacket({ name: 'example.org' }), at.port, at.address)
  await once(silent, 'message')
  await running.pop()?.close()
  await client.closed
  expect(await metric('navstar_dns_forwards_in_flight')).toBe(0)
  silent.close()
  socket.close()
})

test('any bytes by UDP or TCP leave the server answering', async () => {
  const { at } = await start()
  const message = fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes))
  const chunks = fc.array(message, { maxLength: 5 })
  await fc.assert(
    fc.asyncProperty(chunks, fc.boolean(), async (list, isFramed) => {
      const socket = createSocket('udp4')
      const client = await openTcp(at)
      for (const bytes of list) {
        socket.send(bytes, at.port, at.address)
        client.socket.write(isFramed ? frameOf(bytes) : bytes)
      }
      const reply = await askUdp(at, WEB)
      client.socket.destroy()
      socket.close()
      expect(reply?.readUInt16BE(0)).toBe(7)
    }),
    { numRuns: 60 },
  )
})

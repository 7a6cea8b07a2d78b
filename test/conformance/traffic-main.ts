/**
 * Servers and clients of one namespace: each line of standard input is a call, each line of
 * standard output the answer to the next call. Ends with its standard input.
 */
import { createSocket } from 'node:dgram'
import { createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { parseIp } from '../../src/model/ip.ts'
import { Counts } from './counts.ts'
import { type Flow, openFlow } from './flow.ts'
import type { Destination, Tally, Target, TrafficCall, Visit } from './traffic.ts'

const CLIENTS = 8

const flows = new Map<string, Flow>()
let flood: { isEnded: boolean; readonly tally: Counts; readonly clients: Promise<unknown> }

for await (const line of createInterface(process.stdin)) {
  const answer = await carryOut(JSON.parse(line) as TrafficCall).then(
    (result) => ({ result: result ?? null }),
    (error: unknown) => ({ error: codeOf(error) }),
  )
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}
process.exit()

async function carryOut(call: TrafficCall): Promise<unknown> {
  switch (call.call) {
    case 'serve':
      return call.protocol === 'tcp' ? serveTcp(call.name, call) : serveUdp(call.name, call)
    case 'visit':
      return visit(call)
    case 'visits':
      return visits(call, call.count)
    case 'open':
      return void flows.set(call.flow, await openFlow(call))
    case 'say':
      return flows.get(call.flow)?.say()
    case 'openMany':
      return openMany(call)
    case 'sayAll':
      return sayAll(call.group)
    case 'hangUp':
      return flows.get(call.flow)?.close()
    case 'flood':
      return startFlood(call)
    case 'floodCount':
      return flood.tally.total()
    case 'endFlood':
      flood.isEnded = true
      await flood.clients
      return flood.tally.tally()
    default:
      return call satisfies never
  }
}

async function serveTcp(name: string, { address, port }: Target): Promise<void> {
  const server = createServer((socket: Socket) => {
    const tell = () => void socket.write(words(name, socket.remoteAddress, socket.remotePort))
    socket.on('error', () => undefined) // clients come and go as they like
    createInterface(socket)
      .on('line', tell)
      .on('error', () => undefined)
    tell()
  })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject).listen({ host: address, port, backlog: 1024 }, resolve)
  await promise
}

async function serveUdp(name: string, { address, port }: Target): Promise<void> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  socket.once('error', reject).bind({ address, port }, resolve)
  await promise
  socket.on('error', () => undefined) // an answer that nobody awaits any more
  socket.on('message', (_, client) =>
    socket.send(words(name, client.address, client.port), client.port, client.address),
  )
}

function words(server: string, address = '', port = 0): string {
  return `${JSON.stringify({ server, client: { address: parseIp(address) ?? address, port } })}\n`
}

async function visit(destination: Destination): Promise<Visit> {
  const startNs = process.hrtime.bigint()
  const durationMs = () => Number(process.hrtime.bigint() - startNs) / 1e6
  let flow: Flow | undefined
  try {
    flow = await openFlow(destination)
    return { exchange: await flow.say(), durationMs: durationMs() }
  } catch (error) {
    return { error: codeOf(error), durationMs: durationMs() }
  } finally {
    flow?.close()
  }
}

async function visits(destination: Destination, count: number): Promise<Tally> {
  const counts = new Counts()
  let left = count
  const client = async () => {
    while (left-- > 0) counts.add(await visit(destination))
  }
  await Promise.all(Array.from({ length: CLIENTS }, client))
  return counts.tally()
}

async function openMany(call: Extract<TrafficCall, { readonly call: 'openMany' }>): Promise<void> {
  const numbers = Array.from({ length: call.count }, (_, index) => index)
  const client = async () => {
    for (let number = numbers.pop(); number !== undefined; number = numbers.pop()) {
      const flow = await openFlow(call)
      await flow.say()
      flows.set(`${call.group}/${number}`, flow)
    }
  }
  await Promise.all(Array.from({ length: CLIENTS }, client))
}

async function sayAll(group: string): Promise<Tally> {
  const counts = new Counts()
  const talks = [...flows].filter(([name]) => name.startsWith(`${group}/`))
  const talk = async ([, flow]: [string, Flow]) => {
    const startNs = process.hrtime.bigint()
    const durationMs = () => Number(process.hrtime.bigint() - startNs) / 1e6
    const answer = flow.say().then(
      (exchange): Visit => ({ exchange, durationMs: durationMs() }),
      (error: unknown): Visit => ({ error: codeOf(error), durationMs: durationMs() }),
    )
    counts.add(await answer)
  }
  await Promise.all(talks.map(talk))
  return counts.tally()
}

function startFlood(destination: Destination): void {
  const tally = new Counts()
  const client = async () => {
    while (!flood.isEnded) tally.add(await visit(destination))
  }
  flood = { isEnded: false, tally, clients: Promise.resolve() }
  const clients = Promise.all(Array.from({ length: CLIENTS }, client))
  flood = Object.assign(flood, { clients })
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error)
}

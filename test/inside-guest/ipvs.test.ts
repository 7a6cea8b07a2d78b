/** Run by `test/guest/ipvs.test.ts`, in a guest whose kernel has IPVS. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, expect, onTestFinished, type TestContext, test } from 'vitest'
import { type Ipvs, ipvsDestination, ipvsService } from '../../src/kernel/ipvs.ts'
import { type Namespace, openNamespace } from '../../src/kernel/namespace.ts'
import type { Ip } from '../../src/model/ip.ts'
import { keyOf, set } from '../contract/ipvs-cases.ts'
import { ipvsContract } from '../contract/ipvs-contract.ts'
import { requireFeature } from '../feature.ts'

const run = promisify(execFile)
let count = 0
let shared: Awaited<ReturnType<typeof freshNamespace>> | undefined

afterAll(() => shared?.close())

ipvsContract('IPVS of the kernel', async (ctx) => {
  shared ??= await freshNamespace(ctx)
  const { ipvs } = shared.namespace
  const close = async () => {
    const services = await ipvs.observe()
    await ipvs.apply(services.map(({ key }) => ({ kind: 'deleteService', key })))
    await ipvs.setTimeouts({ tcpSeconds: 900 })
  }
  return { ipvs, close }
})

/** Connects n times by the VIP, one after another, and says how many succeeded. */
const CLIENT = `
const net = require('node:net')
const server = net.createServer((socket) => socket.end('x')).listen(8080, '10.9.0.1', async () => {
  let answered = 0
  for (let n = 0; n < Number(process.argv[1]); n++) await new Promise((resolve) => {
    const socket = net.connect({ host: '11.0.0.1', port: 80, localAddress: '10.9.0.2', timeout: 500 })
    socket.on('data', () => { answered++ }).on('timeout', () => socket.destroy())
    socket.on('error', () => undefined).on('close', resolve)
  })
  console.log(answered)
  server.close()
})`

test('connections and bytes are counted, and none comes to a drained destination', async (ctx) => {
  const { namespace, name, close } = await freshNamespace(ctx)
  onTestFinished(close)
  for (const address of ['10.9.0.1', '10.9.0.2', '11.0.0.1']) {
    await run('ip', ['-n', name, 'addr', 'add', `${address}/32`, 'dev', 'lo'])
  }
  const connect = async (times: number): Promise<number> => {
    const command = ['netns', 'exec', name, process.execPath, '-e', CLIENT, String(times)]
    return Number((await run('ip', command)).stdout)
  }
  const key = keyOf('11.0.0.1', 80)
  const destination = ipvsDestination({ address: '10.9.0.1' as Ip, port: 8080 })
  const { ipvs } = namespace
  await ipvs.apply([
    { kind: 'newService', service: ipvsService({ key, scheduler: 'wlc' }) },
    { kind: 'newDestination', key, destination },
  ])
  expect(await connect(5)).toBe(5)
  // Connections are told at once, statistics after the next of the kernel's two-second rounds.
  expect(await connectionsOf(ipvs)).toBe(5)
  await expect
    .poll(async () => (await ipvs.observe())[0]?.statistics.connections, { timeout: 20_000 })
    .toBe(5)
  const counted = (await ipvs.observe())[0]?.destinations[0]?.statistics
  expect(counted).toMatchObject({ connections: 5 })
  expect(counted?.incomingBytes).toBeGreaterThan(5 * 40)
  expect(counted?.outgoingPackets).toBeGreaterThanOrEqual(5)

  expect(await ipvs.apply([set(key, { ...destination, weight: 0 })])).toMatchObject([{ errno: 0 }])
  expect(await connect(1)).toBe(0)
  expect(await connectionsOf(ipvs)).toBe(5)
})

/** How many connections the kernel holds to the first destination. */
async function connectionsOf(ipvs: Ipvs): Promise<number | undefined> {
  const destination = (await ipvs.observe())[0]?.destinations[0]
  return destination && destination.activeConnections + destination.inactiveConnections
}

/** A namespace of its own, or a skipped test. */
async function freshNamespace(
  ctx: TestContext,
): Promise<{ namespace: Namespace; name: string; close: () => Promise<void> }> {
  await requireFeature(ctx, 'root')
  await requireFeature(ctx, 'ipvs')
  const name = `nsv-ipvs-${process.pid}-${count++}`
  await run('ip', ['netns', 'add', name])
  // Before it ever had an IPv4 address a namespace refuses every destination.
  await run('ip', ['-n', name, 'link', 'set', 'lo', 'up'])
  const namespace = await openNamespace(`/run/netns/${name}`)
  const close = async () => {
    namespace.close()
    await run('ip', ['netns', 'del', name])
  }
  return { namespace, name, close }
}

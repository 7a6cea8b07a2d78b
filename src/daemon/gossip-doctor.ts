/** What this host must have to take part in a cluster. */
import { constants } from 'node:fs'
import { access, readFile, stat } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { dirname } from 'node:path'
import { fetchAdmin } from '../admin/client.ts'
import { messageOf } from '../base/error.ts'
import type { DaemonConfig } from '../config/config.ts'
import { readKeyIds } from '../gossip/gossip.ts'
import type { Endpoint } from '../model/endpoint.ts'
import { type Ip, isIpv4, parseIp } from '../model/ip.ts'
import { formatEndpoint } from '../model/vip.ts'
import { type Diagnosis, pass, whyNoDatagrams, whyNotBindable } from './diagnosis.ts'
import type { GossipStatusView } from './node-resources.ts'

/** Checks key file, state directory, port and MTU; nothing where the node stands alone. */
export async function checkGossip(config: DaemonConfig): Promise<Diagnosis[]> {
  const { clusterId, keyFile, stateDirectory } = config.gossip
  if (clusterId === undefined || keyFile === undefined)
    return [pass('cluster', 'none (--cluster-id): this node stands alone')]
  return [
    await checkKeyFile(keyFile),
    await checkStateDirectory(stateDirectory),
    await checkPort(config),
    await checkMtu(config),
  ]
}

async function checkKeyFile(path: string): Promise<Diagnosis> {
  const check = `gossip keys in ${path}`
  try {
    const { used, all } = await readKeyIds(path)
    const { mode } = await stat(path)
    if ((mode & 0o077) === 0) return pass(check, `${all.join(', ')}; in use: ${used}`)
    const found = `mode ${(mode & 0o777).toString(8)}: others can read it`
    return { check, verdict: 'warn', found, hint: `chmod 600 ${path}` }
  } catch (error) {
    const hint = 'The file is the same on every node; `navstar keys` makes one.'
    return { check, verdict: 'fail', found: messageOf(error), hint }
  }
}

async function checkStateDirectory(path: string): Promise<Diagnosis> {
  const check = `state directory ${path}`
  const place = await nearestThere(path)
  try {
    await access(`${place}/.`, constants.W_OK | constants.X_OK)
    return pass(check, place === path ? 'can be written' : `can be made in ${place}`)
  } catch (error) {
    const hint = 'Choose another with --state-directory; it must outlive restarts.'
    return { check, verdict: 'fail', found: messageOf(error), hint }
  }
}

/** The path, or the nearest above it that is there. */
async function nearestThere(path: string): Promise<string> {
  const isThere = await stat(path).then(
    () => true,
    () => false,
  )
  return isThere || path === dirname(path) ? path : nearestThere(dirname(path))
}

async function checkPort(config: DaemonConfig): Promise<Diagnosis> {
  const listening = await listeningDaemon(config.admin.listen)
  if (listening !== undefined) return pass(`gossip at ${listening}`, 'the daemon listens')
  const endpoint = gossipEndpoint(config)
  const check = `gossip at ${formatEndpoint(endpoint)}`
  const why = (await whyNotBindable(formatEndpoint(endpoint))) ?? (await whyNoDatagrams(endpoint))
  if (why === undefined) return pass(check, 'UDP and TCP can be bound')
  return { check, verdict: 'fail', found: why, hint: 'Choose another --gossip-listen.' }
}

/** Where the running daemon gossips; undefined when none does. */
async function listeningDaemon(admin: string): Promise<string | undefined> {
  try {
    const status = await fetchAdmin(admin, '/v1/navstar/status')
    return (status as { gossip?: GossipStatusView }).gossip?.listen
  } catch {
    return undefined // another check tells why
  }
}

/** IP and UDP headers. */
const HEADER_BYTES = { 4: 28, 6: 48 } as const

async function checkMtu(config: DaemonConfig): Promise<Diagnosis> {
  const { datagramBytes } = config.gossip
  const check = `gossip datagrams of ${datagramBytes} bytes`
  const { address } = gossipEndpoint(config)
  const device = deviceOf(address)
  if (device === undefined)
    return pass(check, 'this node’s address is not known here: not compared')
  const mtu = Number((await readFile(`/sys/class/net/${device}/mtu`, 'utf8')).trim())
  const neededBytes = datagramBytes + HEADER_BYTES[isIpv4(address) ? 4 : 6]
  const found = `${device} carries ${mtu}, they need ${neededBytes}`
  if (neededBytes <= mtu) return pass(check, found)
  const hint = 'Lower --gossip-datagram-bytes, or they travel in fragments.'
  return { check, verdict: 'warn', found, hint }
}

function gossipEndpoint({ gossip, nodeIp }: DaemonConfig): Endpoint {
  const { address = nodeIp ?? (parseIp('0.0.0.0') as Ip), port } = gossip.listen
  return { address, port }
}

function deviceOf(address: Ip): string | undefined {
  const devices = Object.entries(networkInterfaces())
  return devices.find(([, addresses]) => addresses?.some((each) => each.address === address))?.[0]
}

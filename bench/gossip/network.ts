/**
 * The network of a fleet: a namespace per node, each with one leg on the bridge of a namespace
 * between them. Nothing is in the machine's own namespace.
 *
 * ```
 *  fabric: br0 ── n1 ══ eth0 10.98.0.1 (namespace of node 1), n2 ══ …
 * ```
 */
import { mkdir } from 'node:fs/promises'
import { ipBatch, run } from '../../src/demo/run.ts'
import type { Ip } from '../../src/model/ip.ts'
import { type FleetPlaces, nodePlaces } from './places.ts'

const MAX_IN_FLIGHT = 4

/** The nodes' numbers, 1 to `size`. */
export function numbersTo(size: number): number[] {
  return Array.from({ length: size }, (_, index) => index + 1)
}

/** The address of node `number`. */
export function addressOf(number: number): Ip {
  return `10.98.${number >> 8}.${number & 255}` as Ip
}

/** The Ethernet address of node `number`. */
function macOf(number: number): string {
  const [high, low] = [number >> 8, number & 255].map((byte) => byte.toString(16).padStart(2, '0'))
  return `02:00:0a:62:${high}:${low}`
}

/** Makes the network for nodes 1 to `size`. */
export async function addNetwork(places: FleetPlaces, size: number): Promise<void> {
  const { fabric } = places
  const numbers = numbersTo(size)
  const spaces = numbers.map((number) => nodePlaces(places, number))
  await ipBatch([fabric, ...spaces.map(({ namespace }) => namespace)].map((n) => `netns add ${n}`))
  await shellIn(fabric, NO_IPV6)
  for (const { cgroup } of spaces) await mkdir(cgroup, { recursive: true })
  await forEach(numbers, (number) => shellIn(nodePlaces(places, number).namespace, NO_IPV6))
  await ipBatch([
    `link add name br0 netns ${fabric} type bridge`,
    ...spaces.map(
      ({ name, namespace }) =>
        `link add name eth0 netns ${namespace} type veth peer name ${name} netns ${fabric}`,
    ),
  ])
  await ipIn(fabric, [
    'link set br0 up',
    ...spaces.map(({ name }) => `link set ${name} master br0 up`),
  ])
  await forEach(numbers, (number) =>
    ipIn(nodePlaces(places, number).namespace, [
      'link set lo up',
      `link set eth0 address ${macOf(number)}`,
      `address add ${addressOf(number)}/16 dev eth0`,
      'link set eth0 up',
      // The kernel has one limit for the neighbours of all namespaces, and 50 nodes reach it.
      ...numbers
        .filter((other) => other !== number)
        .map((other) => {
          const [address, mac] = [addressOf(other), macOf(other)]
          return `neigh add ${address} lladdr ${mac} dev eth0 nud permanent`
        }),
    ]),
  )
}

/** So that nothing but what the nodes send counts. */
const NO_IPV6 = 'cd /proc/sys/net/ipv6/conf && echo 1 | tee all/disable_ipv6 default/disable_ipv6'

/**
 * Every packet, of UDP and TCP alike, is lost on its way into each node with this chance.
 *
 * @param percent 0: none
 */
export async function setLoss(places: FleetPlaces, size: number, percent: number): Promise<void> {
  const script = `
    table ip loss
    delete table ip loss
    table ip loss {
      chain input {
        type filter hook input priority filter
        iifname "eth0" numgen random mod 100 < ${percent} counter drop
      }
    }`
  const none = 'table ip loss\ndelete table ip loss\n'
  await forEach(numbersTo(size), (number) =>
    runIn(nodePlaces(places, number).namespace, ['nft', '-f', '-'], percent > 0 ? script : none),
  )
}

/** Cuts a node's cable, or plugs it in again. */
export async function setLink(
  places: FleetPlaces,
  number: number,
  state: 'up' | 'down',
): Promise<void> {
  await ipIn(places.fabric, [`link set ${nodePlaces(places, number).name} ${state}`])
}

/** What each node sent up to now: bytes of frames, Ethernet header included; by number. */
export async function bytesSent(places: FleetPlaces): Promise<ReadonlyMap<number, number>> {
  const text = await run('ip', ['-n', places.fabric, '-s', '-j', 'link', 'show', 'type', 'veth'])
  const links = JSON.parse(text) as readonly {
    readonly ifname: string
    readonly stats64: { readonly rx: { readonly bytes: number } }
  }[]
  // What the fabric's end receives is what the node sends.
  return new Map(links.map(({ ifname, stats64 }) => [Number(ifname.slice(1)), stats64.rx.bytes]))
}

async function forEach(
  numbers: readonly number[],
  work: (number: number) => Promise<unknown>,
): Promise<void> {
  const queue = [...numbers]
  const worker = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await work(next)
  }
  await Promise.all(Array.from({ length: MAX_IN_FLIGHT }, worker))
}

async function runIn(namespace: string, command: readonly string[], input = ''): Promise<void> {
  await run('nsenter', [`--net=/run/netns/${namespace}`, ...command], input)
}

async function shellIn(namespace: string, line: string): Promise<void> {
  await runIn(namespace, ['sh', '-c', line])
}

async function ipIn(namespace: string, lines: readonly string[]): Promise<void> {
  await run('ip', ['-n', namespace, '-batch', '-'], `${lines.join('\n')}\n`)
}

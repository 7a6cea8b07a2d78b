/** The tasks of the matrix and of the odd cases beside it, and where they listen. */
import type { SimulatedTask } from '../../../src/demo/agent/task.ts'
import { hostAddresses } from '../../../src/demo/network/addresses.ts'
import type { HostPlaces } from '../../../src/demo/places/places.ts'
import { bridged, type Mapping } from './bridge.ts'
import { type Cell, isMapped, type Subject, subjects, whyNoSubject } from './cells.ts'
import type { Question } from './client.ts'

/** A task with all that makes it real. */
export interface PlacedTask {
  readonly task: SimulatedTask
  /** Where its process runs. */
  readonly namespace: string
  readonly addresses: readonly string[]
  readonly mapping?: Mapping
}

/** The port of VIPs by address. */
export const ADDRESS_PORT = 5000
const NAME_PORT = 80
const INNER_PORT = 8080
const FIRST_HOST_PORT = 21_000
/** Where number 1 of the containers is the client's. */
const FIRST_CONTAINER = 2

/** The tasks of the matrix: one of each kind on each network, all on this host. */
export function matrixTasks(host: HostPlaces, number: number): readonly PlacedTask[] {
  return known.map((subject, index) => {
    const { namespace, addresses } = placeOf(host, number, subject)
    const hostPort = FIRST_HOST_PORT + index
    const port = subject.network === 'host' ? hostPort : INNER_PORT
    const mapped = isMapped(subject) ? { hostPort } : {}
    const name = labelOf(subject)
    const vips = [`/${name}:${NAME_PORT}`, vipText(index, 4)]
    if (!isMapped(subject)) vips.push(vipText(index, 6))
    const task: SimulatedTask = {
      name,
      ...(subject.kind === 'pod' && { pod: `pod-${subject.network}` }),
      network: subject.network,
      addresses,
      ports: [
        { port, ...mapped, vips, protocol: 'tcp' },
        { port, ...mapped, vips, protocol: 'udp' },
      ],
    }
    const [address = ''] = addresses
    const mapping = isMapped(subject) && { mapping: { hostPort, address, port } }
    return { task, namespace, addresses, ...mapping }
  })
}

/** What a client of a cell asks, and who must answer. */
export function questionOf({ subject, naming, family, protocol }: Cell): Question {
  const name = labelOf(subject)
  if (naming === 'by name') {
    return { host: `${name}.marathon.l4lb.thisdcos.directory`, port: NAME_PORT, family, protocol }
  }
  const index = known.findIndex((other) => labelOf(other) === name)
  return { host: vipAddress(index, family), port: ADDRESS_PORT, family, protocol }
}

/** E.g. `pod-bridge`. */
export function labelOf({ kind, network }: Subject): string {
  return `${kind.replace(' ', '-')}-${network}`
}

const known = subjects().filter((subject) => whyNoSubject(subject) === undefined)

function placeOf(
  host: HostPlaces,
  number: number,
  { kind, network }: Subject,
): { readonly namespace: string; readonly addresses: readonly string[] } {
  const own = hostAddresses(number)
  if (network === 'host') return { namespace: host.namespace, addresses: [own.ip, own.ip6] }
  const index = FIRST_CONTAINER + ['own namespace', 'port-mapped', 'pod'].indexOf(kind)
  if (network === 'bridge') {
    const { namespace, ip, ip6 } = bridged(host, index)
    return { namespace, addresses: [ip, ip6] }
  }
  const { ip, ip6 } = own.container(index)
  return { namespace: host.container(index), addresses: [ip, ip6] }
}

function vipAddress(index: number, family: 4 | 6): string {
  return family === 4 ? `198.51.100.${11 + index}` : `fd01:c::${11 + index}`
}

function vipText(index: number, family: 4 | 6): string {
  const address = vipAddress(index, family)
  return family === 4 ? `${address}:${ADDRESS_PORT}` : `[${address}]:${ADDRESS_PORT}`
}

/** How many backends the VIP `many` has. */
export const MANY = 64
/** A VIP by address whose backend's host port has the VIP's number. */
export const EQUAL_PORT = { address: '198.51.100.101', port: 5_001 } as const

/** Tasks of odd cases, on the network of this host. */
export function oddTasks(host: HostPlaces, number: number): readonly PlacedTask[] {
  const { ip } = hostAddresses(number)
  const place = { namespace: host.namespace, addresses: [ip] }
  const tcp = (name: string, port: number, ...vips: string[]): PlacedTask => {
    return { ...place, task: { name, ports: [{ port, vips }] } }
  }
  const shared = Array.from({ length: 5 }, (_, index) =>
    tcp(`app-${index}`, 22_101 + index, '/shared:5000', `/app-${index}:80`),
  )
  const many = Array.from({ length: MANY }, (_, index) =>
    tcp(`many-${index}`, 22_201 + index, '/many:80'),
  )
  const none = tcp('none', 22_301, '/none:80')
  const { address, port } = EQUAL_PORT
  return [
    ...shared,
    ...many,
    { ...none, task: { ...none.task, hasHealthCheck: true } }, // which has no result
    tcp('equal-port', port, `${address}:${port}`),
    {
      ...place,
      task: {
        name: 'split',
        ports: [
          { port: 22_302, protocol: 'tcp', vips: ['/split:80'] },
          { port: 22_303, protocol: 'udp', vips: ['/split:80'] },
        ],
      },
    },
  ]
}

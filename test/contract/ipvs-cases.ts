/** What the kernel answers to operations on IPVS, captured from 6.1. */
import {
  type IpvsDestination,
  type IpvsKey,
  type IpvsOperation,
  type IpvsService,
  ipvsDestination,
  ipvsService,
} from '../../src/kernel/ipvs.ts'
import type { Ip } from '../../src/model/ip.ts'

/** Operations and their answers. */
export interface IpvsCase {
  readonly name: string
  readonly operations: readonly IpvsOperation[]
  /** One per operation. */
  readonly answers: string
}

/** A key of TCP, or of UDP for port 53. */
export function keyOf(address: string, port: number): IpvsKey {
  const protocol = port === 53 ? 'udp' : 'tcp'
  return { kind: 'address', protocol, address: address as Ip, port }
}

/** A destination by address, on port 8080. */
export function backend(address: string, given: Partial<IpvsDestination> = {}): IpvsDestination {
  return ipvsDestination({ address: address as Ip, port: 8080, ...given })
}

export const WEB: IpvsKey = keyOf('11.0.0.1', 80)
export const WEB6: IpvsKey = keyOf('fd01:c::5', 80)
export const DNS: IpvsKey = keyOf('11.0.0.2', 53)
export const MARK: IpvsKey = { kind: 'mark', family: 4, mark: 7 }
export const MARK6: IpvsKey = { kind: 'mark', family: 6, mark: 7 }
const ABSENT = keyOf('11.0.0.9', 80)

export const ONE: IpvsDestination = backend('10.0.0.1', {
  weight: 3,
  upperThreshold: 100,
  lowerThreshold: 50,
})
export const TWO: IpvsDestination = backend('10.0.0.2', { forwarding: 'direct' })
export const SIX: IpvsDestination = backend('fd00::1', { forwarding: 'tunnel', weight: 0 })

export const SERVICES: readonly IpvsService[] = [
  ipvsService({
    key: WEB,
    scheduler: 'wlc',
    isPersistent: true,
    persistenceSeconds: 300,
    persistencePrefix: 24,
  }),
  ipvsService({ key: WEB6, scheduler: 'rr' }),
  ipvsService({ key: DNS, scheduler: 'wrr', isOnePacket: true }),
  ipvsService({ key: MARK, scheduler: 'sh', schedulerFlags: 3 }),
]

export const PREPARATION: readonly IpvsOperation[] = [
  ...SERVICES.map((service): IpvsOperation => ({ kind: 'newService', service })),
  add(WEB, ONE),
  add(WEB, TWO),
  add(WEB6, SIX),
]

/** Adds a destination. */
export function add(key: IpvsKey, destination: IpvsDestination): IpvsOperation {
  return { kind: 'newDestination', key, destination }
}

/** Changes a destination. */
export function set(key: IpvsKey, destination: IpvsDestination): IpvsOperation {
  return { kind: 'setDestination', key, destination }
}

/** Removes a destination. */
export function remove(key: IpvsKey, endpoint: IpvsDestination): IpvsOperation {
  const { address, port } = endpoint
  return { kind: 'deleteDestination', key, endpoint: { address, port } }
}

function make(key: IpvsKey, given: Partial<IpvsService> = {}): IpvsOperation {
  return { kind: 'newService', service: ipvsService({ key, scheduler: 'rr', ...given }) }
}

function edit(key: IpvsKey, given: Partial<IpvsService> = {}): IpvsOperation {
  return { kind: 'setService', service: ipvsService({ key, scheduler: 'rr', ...given }) }
}

function end(key: IpvsKey): IpvsOperation {
  return { kind: 'deleteService', key }
}

const UNFIT_PREFIX = 129

export const CASES: readonly IpvsCase[] = [
  {
    name: 'a service twice',
    operations: [make(WEB), make(ABSENT), make(ABSENT)],
    answers: 'EEXIST OK EEXIST',
  },
  {
    name: 'a service of the other protocol or port',
    operations: [make(keyOf('11.0.0.1', 53)), make(keyOf('11.0.0.1', 81))],
    answers: 'OK OK',
  },
  {
    name: 'a mark of the other family',
    operations: [make(MARK), make(MARK6), make(MARK6)],
    answers: 'EEXIST OK EEXIST',
  },
  {
    name: 'a service without scheduler',
    operations: [make(ABSENT, { scheduler: 'none' })],
    answers: 'OK',
  },
  {
    name: 'a scheduler that there is not',
    operations: [make(ABSENT, { scheduler: 'wlcc' }), edit(WEB, { scheduler: 'wlcc' })],
    answers: 'ENOENT ENOENT',
  },
  {
    name: 'a scheduler without a name',
    operations: [make(ABSENT, { scheduler: '' })],
    answers: 'ENOENT',
  },
  {
    name: 'a scheduler that is known already to the service',
    operations: [make(WEB, { scheduler: 'wlcc' })],
    answers: 'EEXIST',
  },
  {
    name: 'names of 15 and 16 bytes',
    operations: [
      make(ABSENT, { scheduler: 'abcdefghijklmno' }),
      make(ABSENT, { scheduler: 'abcdefghijklmnop' }),
    ],
    answers: 'ENOENT EINVAL',
  },
  {
    name: 'prefixes of IPv4 persistence',
    operations: [make(ABSENT, { persistencePrefix: 0 }), edit(ABSENT, { persistencePrefix: 8 })],
    answers: 'OK OK',
  },
  {
    name: 'prefixes of IPv6 persistence',
    operations: [
      edit(WEB6, { persistencePrefix: 0 }),
      edit(WEB6, { persistencePrefix: UNFIT_PREFIX }),
      edit(WEB6, { persistencePrefix: 1 }),
    ],
    answers: 'EINVAL EINVAL OK',
  },
  {
    name: 'changes to a service that is not there',
    operations: [
      edit(ABSENT),
      end(ABSENT),
      add(ABSENT, ONE),
      set(ABSENT, ONE),
      remove(ABSENT, ONE),
    ],
    answers: 'ESRCH ESRCH ESRCH ESRCH ESRCH',
  },
  {
    name: 'a service that is deleted twice',
    operations: [end(WEB), end(WEB), make(WEB)],
    answers: 'OK ESRCH OK',
  },
  {
    name: 'a destination twice',
    operations: [add(WEB, ONE), add(DNS, ONE), add(DNS, ONE)],
    answers: 'EEXIST OK EEXIST',
  },
  {
    name: 'a destination on another port',
    operations: [add(WEB, { ...ONE, port: 1 }), add(WEB, { ...ONE, port: 0 })],
    answers: 'OK OK',
  },
  {
    name: 'a destination that is not there',
    operations: [set(WEB, backend('10.0.0.9')), remove(WEB, backend('10.0.0.9'))],
    answers: 'ENOENT ENOENT',
  },
  {
    name: 'a destination that is deleted twice and comes back',
    operations: [remove(WEB, ONE), remove(WEB, ONE), add(WEB, ONE)],
    answers: 'OK ENOENT OK',
  },
  {
    name: 'the largest weight and one more',
    operations: [
      set(WEB, { ...ONE, weight: 0x7fffffff }),
      set(WEB, { ...ONE, weight: 0x80000000 }),
    ],
    answers: 'OK ERANGE',
  },
  {
    name: 'a lower threshold above the upper',
    operations: [
      set(WEB, { ...ONE, lowerThreshold: 101 }),
      add(WEB, backend('10.0.0.3', { lowerThreshold: 1 })),
      add(WEB, { ...ONE, lowerThreshold: 101 }),
    ],
    answers: 'ERANGE ERANGE ERANGE',
  },
  {
    name: 'addresses that are not unicast',
    operations: ['0.0.0.0', '224.0.0.1', '255.255.255.255'].map((address) =>
      add(WEB, backend(address)),
    ),
    answers: 'EINVAL EINVAL EINVAL',
  },
  {
    name: 'IPv6 addresses that are not unicast',
    operations: ['::', 'ff02::1', 'fe80::1'].map((address) => add(WEB6, backend(address))),
    answers: 'EINVAL EINVAL EINVAL',
  },
  {
    name: 'a destination of the other family',
    operations: [
      add(WEB, backend('fd00::1')),
      add(WEB6, backend('10.0.0.1')),
      remove(WEB6, backend('10.0.0.1')),
    ],
    answers: 'EINVAL EINVAL ENOENT',
  },
  {
    name: 'a tunnel to the other family',
    operations: [add(WEB, backend('fd00::1', { forwarding: 'tunnel' }))],
    answers: 'OK',
  },
  {
    name: 'operations after a refusal',
    operations: [
      make(WEB),
      set(WEB, { ...TWO, weight: 0 }),
      remove(WEB, backend('10.0.0.9')),
      remove(WEB, TWO),
    ],
    answers: 'EEXIST OK ENOENT OK',
  },
]

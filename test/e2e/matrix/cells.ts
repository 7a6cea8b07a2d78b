/**
 * The matrix: every way in which a client reaches a task through a VIP, as tests of DC/OS list them.
 *
 * **Source:** DC/OS `packages/dcos-integration-test/extra/test_networking.py` (test_vip)
 */

/** What runs the task. */
export const KINDS = ['host process', 'own namespace', 'port-mapped', 'pod'] as const
/** Whose addresses a task or client has: its host's, of a bridge that its host hides, or routed ones. */
export const NETWORKS = ['host', 'bridge', 'container'] as const
/** How the client names the VIP. */
export const NAMINGS = ['by name', 'by address'] as const
/** Where the client is. */
export const PLACES = ['same host', 'other host'] as const
/** What it speaks. */
export const PROTOCOLS = ['tcp', 'udp'] as const
/** By which family. */
export const FAMILIES = [4, 6] as const

export type Kind = (typeof KINDS)[number]
export type Network = (typeof NETWORKS)[number]

/** A task that is behind VIPs of its own. */
export interface Subject {
  readonly kind: Kind
  readonly network: Network
}

/** One way. */
export interface Cell {
  readonly name: string
  readonly subject: Subject
  readonly client: Network
  readonly naming: (typeof NAMINGS)[number]
  readonly place: (typeof PLACES)[number]
  readonly protocol: (typeof PROTOCOLS)[number]
  readonly family: (typeof FAMILIES)[number]
}

/** All ways, the impossible too. */
export function allCells(): readonly Cell[] {
  return subjects().flatMap((subject) =>
    clientsOf().map((way) => ({ subject, ...way, name: nameOf({ subject, ...way }) })),
  )
}

/** Every kind on every network. */
export function subjects(): readonly Subject[] {
  return KINDS.flatMap((kind) => NETWORKS.map((network) => ({ kind, network })))
}

/** Why a task of this kind cannot be on this network; undefined: it can. */
export function whyNoSubject({ kind, network }: Subject): string | undefined {
  if (kind === 'host process' && network !== 'host') {
    return 'a process without a container has the network of its host'
  }
  if (kind === 'own namespace' && network === 'host') {
    return 'a namespace of its own is not the network of the host'
  }
  if (kind === 'port-mapped' && network === 'host') {
    return 'on the network of the host no port is mapped'
  }
  return undefined
}

/** Why no client can go this way; undefined: it can. */
export function whyImpossible({ subject, family, place }: Cell): string | undefined {
  const reason = whyNoSubject(subject)
  if (reason !== undefined) return reason
  if (isMapped(subject) && family === 6) {
    return 'Mesos maps ports on the address of the agent, which is IPv4'
  }
  if (subject.network === 'bridge' && !isMapped(subject) && place === 'other host') {
    return 'without a mapped port a bridge is reached from its own host only'
  }
  return undefined
}

/** Whether clients on other hosts reach it at a port of its host. */
export function isMapped({ kind, network }: Subject): boolean {
  return kind === 'port-mapped' || (kind === 'pod' && network === 'bridge')
}

/** Cells by why they are impossible. */
export function impossible(): ReadonlyMap<string, readonly Cell[]> {
  return Map.groupBy(
    allCells().filter((cell) => whyImpossible(cell) !== undefined),
    (cell) => whyImpossible(cell) ?? '',
  )
}

function clientsOf(): readonly Omit<Cell, 'name' | 'subject'>[] {
  return NETWORKS.flatMap((client) =>
    NAMINGS.flatMap((naming) =>
      PLACES.flatMap((place) =>
        PROTOCOLS.flatMap((protocol) =>
          FAMILIES.map((family) => ({ client, naming, place, protocol, family })),
        ),
      ),
    ),
  )
}

function nameOf({ subject, client, naming, place, protocol, family }: Omit<Cell, 'name'>): string {
  const target = `${subject.kind} on ${subject.network}`
  return `${target} from ${client} on the ${place} ${naming}, ${protocol} over IPv${family}`
}

/** Hosts that form one cluster, and what can happen to it. */
import { join } from 'node:path'
import { changeKeys } from '../../gossip/gossip.ts'
import { ClusterHost } from '../host/cluster-host.ts'
import { DemoMesos, MASTER_PORT } from '../mesos/hosted/demo-mesos.ts'
import { addFabric, divide, unite } from '../network/fabric.ts'
import { addRoutes } from '../network/topology.ts'
import type { DemoPlaces } from '../places/places.ts'

/** How the hosts of a cluster are made. */
export interface ClusterOptions {
  readonly places: DemoPlaces
  readonly hosts: number
  readonly backendsPerHost: number
  readonly plane: 'auto' | 'ebpf' | 'nftables' | 'ipvs'
  /** Aborted: no further host is made. */
  readonly signal?: AbortSignal
}

/** How daemons run. */
export interface DaemonOptions {
  /** Whether those on masters' hosts follow the leading master; default: they do. */
  readonly followsMasters?: boolean
}

/** The port of a task. */
export const BACKEND_PORT = 8080
/** The port of the VIP `web`. */
export const VIP_PORT = 80
/** As many hosts the addresses are good for. */
export const MAX_HOSTS = 99

const GOSSIP_PORT = 62501
/** A majority of three still leads when one is lost. */
const MASTERS = 3

/** Backends of `/web:80` on hosts in namespaces; {@link Cluster.open} makes it. */
export class Cluster {
  readonly #options: ClusterOptions
  /** The masters and agents of all hosts. */
  readonly mesos: DemoMesos
  readonly #hosts: ClusterHost[] = []
  readonly #keyFile: string
  #sides: readonly (readonly string[])[] = []

  private constructor(options: ClusterOptions, mesos: DemoMesos) {
    this.#options = options
    this.mesos = mesos
    this.#keyFile = join(options.places.stateDirectory, 'cluster.key')
  }

  /** Makes network, hosts, masters, agents and backends; no daemon runs yet. */
  static async open(options: ClusterOptions): Promise<Cluster> {
    await addFabric(options.places)
    const cluster = new Cluster(options, await DemoMesos.start(options.places))
    await changeKeys(cluster.#keyFile, { kind: 'add' })
    const numbers = Array.from({ length: options.hosts }, (_, index) => index + 1)
    await allDone(numbers.map((number) => cluster.#addHost(number)))
    await cluster.#addRoutes()
    return cluster
  }

  /** All hosts, by number; also those without power. */
  get hosts(): readonly ClusterHost[] {
    return this.#hosts
  }

  /** The hosts that have power. */
  get running(): readonly ClusterHost[] {
    return this.#hosts.filter(({ hasPower }) => hasPower)
  }

  /** The hosts on which a Mesos master belongs; their daemons follow it. */
  get masters(): readonly ClusterHost[] {
    return this.#hosts.filter(({ hasMaster }) => hasMaster)
  }

  /** The sides that the cluster is cut into; none while it is whole. */
  get sides(): readonly (readonly string[])[] {
    return this.#sides
  }

  get id(): string {
    return `demo-${this.#options.places.id}`
  }

  /** @throws Error when there is no such host */
  host(name: string): ClusterHost {
    const host = this.#hosts.find((candidate) => candidate.name === name)
    if (host !== undefined) return host
    throw new Error(`there is no host '${name}', only ${namesOf(this.#hosts)}`)
  }

  /** Starts the daemons of all hosts at once. */
  async startDaemons(options: DaemonOptions = {}): Promise<void> {
    await allDone(this.#hosts.map((host) => this.startDaemon(host, options)))
  }

  /** Starts a host's daemon, with one seed and the key, and waits until it runs. */
  async startDaemon(
    host: ClusterHost,
    { followsMasters = true }: DaemonOptions = {},
  ): Promise<void> {
    const others = this.running.filter((other) => other !== host)
    const isFirst = this.running[0] === host
    const seed = (isFirst ? others.find(({ daemonPid }) => daemonPid) : others[0]) ?? host
    await host.startDaemon(
      ...['--ip', host.ip, '--cluster-id', this.id, '--gossip-key-file', this.#keyFile],
      ...['--gossip-seed', `${seed.ip}:${GOSSIP_PORT}`],
      ...(host.hasMaster && followsMasters ? ['--masters', this.#mastersText()] : []),
    )
  }

  /** Takes a host's power. @throws Error when it has none */
  async kill(name: string): Promise<void> {
    const host = this.host(name)
    if (!host.hasPower) throw new Error(`${name} is dead already`)
    if (this.running.length === 1) throw new Error(`${name} is the last host that lives`)
    await host.switchOff()
  }

  /** Gives a dead host power again. @throws Error when it has power */
  async return(name: string): Promise<void> {
    const host = this.host(name)
    if (host.hasPower) throw new Error(`${name} is not dead`)
    await host.switchOn()
    await this.startDaemon(host)
  }

  /** Ends the Mesos master on a host; nothing when it does not run. @throws Error when none belongs there */
  async endMaster(name: string): Promise<void> {
    await this.mesos.endMaster(this.#masterOn(name).ip)
  }

  /** Starts it again; nothing when it runs. @throws Error when none belongs there, or without power */
  async startMaster(name: string): Promise<void> {
    const { ip, hasPower } = this.#masterOn(name)
    if (!hasPower) throw new Error(`${name} is dead`)
    await this.mesos.startMaster(ip)
  }

  /** Adds a host that was never there, with agent and backends; its daemon is the caller's to start. */
  async add(): Promise<ClusterHost> {
    const number = this.#hosts.length + 1
    if (number > MAX_HOSTS) throw new Error(`there are no addresses for more than ${MAX_HOSTS}`)
    if (this.#sides.length > 0) throw new Error('the cluster is cut: heal it first')
    const host = await this.#addHost(number)
    await this.#addRoutes()
    return host
  }

  /** Cuts the cluster: each side reaches only itself. Hosts that are named nowhere are one more side. */
  async cut(sides: readonly (readonly string[])[]): Promise<void> {
    const names = sides.flat()
    for (const name of names) this.host(name)
    const twice = names.find((name, index) => names.indexOf(name) !== index)
    if (twice !== undefined) throw new Error(`${twice} cannot be on two sides`)
    if (sides.length === 0 || sides.some((side) => side.length === 0)) {
      throw new Error('say which hosts are on which side: cut "h1" "h2 h3"')
    }
    await this.heal()
    const rest = this.#hosts.map(({ name }) => name).filter((name) => !names.includes(name))
    this.#sides = rest.length > 0 ? [...sides, rest] : sides
    await divide(this.#options.places, this.#sides)
    await this.mesos.cut(this.#sides.map((side) => side.map((name) => this.host(name).ip)))
  }

  /** Makes the cluster whole again; nothing when it is. */
  async heal(): Promise<void> {
    if (this.#sides.length === 0) return
    await unite(this.#options.places, this.#sides)
    this.#sides = []
    await this.mesos.cut([])
  }

  #masterOn(name: string): ClusterHost {
    const host = this.host(name)
    if (host.hasMaster) return host
    throw new Error(`${name} has no Mesos master, only ${namesOf(this.masters)}`)
  }

  async #addHost(number: number): Promise<ClusterHost> {
    const { places, hosts, backendsPerHost: containers, plane, signal } = this.#options
    signal?.throwIfAborted()
    const hasMaster = number <= (hosts < MASTERS ? 1 : MASTERS)
    const { mesos } = this
    const host = new ClusterHost(places, { number, containers, plane, mesos, hasMaster })
    this.#hosts[number - 1] = host
    await host.create()
    await host.startAgent()
    for (let index = 1; index <= containers; index++) {
      signal?.throwIfAborted()
      const ports = [{ port: BACKEND_PORT, vips: [`/web:${VIP_PORT}`] }]
      await host.startBackend(index, { name: 'web', ports })
    }
    return host
  }

  /** As an operator gives it, e.g. `http://10.99.0.1:5050,http://10.99.0.2:5050`. */
  #mastersText(): string {
    return this.masters.map(({ ip }) => `http://${ip}:${MASTER_PORT}`).join()
  }

  async #addRoutes(): Promise<void> {
    for (const host of this.#hosts) {
      const others = this.#hosts.filter((other) => other !== host).map(({ number }) => number)
      await addRoutes(host.places, others)
    }
  }
}

/** Waits for all, also after one failed: nothing may go on behind a clean-up. */
async function allDone(works: readonly Promise<unknown>[]): Promise<void> {
  await Promise.allSettled(works)
  await Promise.all(works)
}

function namesOf(hosts: readonly ClusterHost[]): string {
  return hosts.map(({ name }) => name).join(', ')
}

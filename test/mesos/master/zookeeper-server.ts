/** Real servers of ZooKeeper (Debian's package) on free ports of loopback. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

/** Where Debian has it; its manifest names all other jars. */
export const ZOOKEEPER_JAR = '/usr/share/java/zookeeper.jar'

const JAVA_FLAGS = [
  '-Xmx64m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-XX:-UsePerfData',
  '-Dzookeeper.forceSync=no',
]

/** Ticks make all time-outs; small ones let a test see them pass. */
const TICK_MS = 200

/** A server that can be stopped, frozen and started again with what it knew. */
export class ZooKeeperServer {
  readonly port: number
  readonly #directory: string
  #child: ChildProcess | undefined

  constructor(port: number, directory: string) {
    this.port = port
    this.#directory = directory
  }

  /** `127.0.0.1:PORT` */
  get host(): string {
    return `127.0.0.1:${this.port}`
  }

  start(): void {
    const main = 'org.apache.zookeeper.server.quorum.QuorumPeerMain'
    const parameters = [...JAVA_FLAGS, '-cp', ZOOKEEPER_JAR, main, './zoo.cfg']
    // It ends with the test even when that is killed.
    this.#child = spawn('setpriv', ['--pdeathsig', 'KILL', 'java', ...parameters], {
      cwd: this.#directory,
      stdio: 'ignore',
    })
  }

  /** Waits until it serves clients: it has a quorum then. */
  async serving(): Promise<void> {
    const deadlineMs = performance.now() + 25_000
    while (!(await this.#mode()).includes('Mode:')) {
      const hasEnded = this.#child?.exitCode !== null
      if (hasEnded || performance.now() > deadlineMs)
        throw new Error(`ZooKeeper ${this.host} does not serve`)
      await sleep(50)
    }
  }

  /** Kills it, as a crash would. */
  async stop(): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, 'exit')
    child.kill('SIGKILL')
    await exit
  }

  /** It neither answers nor closes anything from now on. */
  freeze(): void {
    this.#child?.kill('SIGSTOP')
  }

  thaw(): void {
    this.#child?.kill('SIGCONT')
  }

  async #mode(): Promise<string> {
    const socket = connect(this.port, '127.0.0.1')
    // Half-closed, it would be dropped without an answer.
    socket.write('srvr')
    socket.setTimeout(1_000, () => socket.destroy())
    return text(socket).catch(() => '')
  }
}

/** Servers with a directory of their own. */
export class ZooKeeperEnsemble {
  readonly servers: readonly ZooKeeperServer[]
  readonly #directory: string

  private constructor(servers: readonly ZooKeeperServer[], directory: string) {
    this.servers = servers
    this.#directory = directory
  }

  /** Starts that many servers and waits until all of them serve. */
  static async start(count: 1 | 3): Promise<ZooKeeperEnsemble> {
    const directory = await mkdtemp(join(tmpdir(), 'nsv-zookeeper-'))
    const ports = await freePorts(count * 3)
    const numbers = Array.from({ length: count }, (_, index) => index + 1)
    const peers = numbers.map((number) => {
      const [quorum, election] = ports.slice(count + (number - 1) * 2)
      return `server.${number}=127.0.0.1:${quorum}:${election}`
    })
    const servers: ZooKeeperServer[] = []
    for (const number of numbers) {
      const home = join(directory, String(number))
      const port = ports[number - 1] ?? 0
      await mkdir(home)
      await writeFile(join(home, 'myid'), String(number))
      await writeFile(
        join(home, 'zoo.cfg'),
        configuration({ home, port, peers: count > 1 ? peers : [] }),
      )
      servers.push(new ZooKeeperServer(port, home))
    }
    const ensemble = new ZooKeeperEnsemble(servers, directory)
    try {
      await ensemble.startAll()
    } catch (error) {
      await ensemble.close()
      throw error
    }
    return ensemble
  }

  /** `127.0.0.1:1,127.0.0.1:2` */
  get hosts(): string {
    return this.servers.map(({ host }) => host).join(',')
  }

  async startAll(): Promise<void> {
    for (const server of this.servers) server.start()
    await Promise.all(this.servers.map((server) => server.serving()))
  }

  async stopAll(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.stop()))
  }

  async close(): Promise<void> {
    await this.stopAll()
    await rm(this.#directory, { recursive: true })
  }
}

interface Configuration {
  readonly home: string
  readonly port: number
  readonly peers: readonly string[]
}

function configuration({ home, port, peers }: Configuration): string {
  const lines = [
    `tickTime=${TICK_MS}`,
    'initLimit=50',
    'syncLimit=15',
    `dataDir=${home}`,
    `clientPort=${port}`,
    'clientPortAddress=127.0.0.1',
    'maxSessionTimeout=60000',
    'admin.enableServer=false',
    '4lw.commands.whitelist=srvr',
    ...peers,
  ]
  return `${lines.join('\n')}\n`
}

/**
 * Ports that were free a moment ago. They lie below those that the kernel gives to connections:
 * who connects to a closed one of these in a loop connects to himself in the end.
 */
async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = []
  while (servers.length < count) {
    const server = createServer()
    server.listen(20_000 + Math.floor(Math.random() * 12_000), '127.0.0.1')
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    )
    if (isFree) servers.push(server)
  }
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => once(server.close(), 'close')))
  return ports
}

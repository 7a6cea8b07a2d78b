import { NavstarError } from '../../../src/base/error.ts'
import type {
  OpenSession,
  SessionOptions,
  ZooKeeperReader,
} from '../../../src/mesos/master/zookeeper-session.ts'

/** An ensemble in memory with one path; the test says what happens to it. */
export class FakeZooKeeper {
  /** Contents by name; undefined: the path does not exist. */
  nodes: Map<string, Buffer> | undefined
  /** Host names of servers that do not answer. */
  readonly down: Set<string> = new Set<string>()
  /** Called before a node is read. */
  beforeRead: (name: string) => void = () => undefined
  readonly #sessions = new Set<FakeSession>()
  /** Servers in the order in which sessions were attempted. */
  readonly attempts: string[] = []
  readings = 0

  readonly open: OpenSession = async (options) => {
    const { host } = options.server
    this.attempts.push(host)
    if (this.down.has(host)) throw gone(host)
    const session = new FakeSession(this, options)
    this.#sessions.add(session)
    return session
  }

  get openSessions(): readonly FakeSession[] {
    return [...this.#sessions]
  }

  /** Puts a master there, as its JSON. */
  announce(sequence: number, ip: string): void {
    this.set(sequence, JSON.stringify({ address: { ip, port: 5050 } }))
  }

  set(sequence: number, content: string): void {
    this.nodes ??= new Map()
    this.nodes.set(nameOf(sequence), Buffer.from(content))
    this.fire()
  }

  remove(sequence: number): void {
    this.nodes?.delete(nameOf(sequence))
    this.fire()
  }

  /** Fires the watches of all sessions that have read. */
  fire(): void {
    for (const session of this.#sessions) session.fire()
  }

  /** A server goes away with its sessions. */
  stop(host: string): void {
    this.down.add(host)
    for (const session of this.#sessions) if (session.host === host) session.end()
  }

  /** @internal */
  forget(session: FakeSession): void {
    this.#sessions.delete(session)
  }
}

/** One session with one server. */
export class FakeSession implements ZooKeeperReader {
  readonly #zookeeper: FakeZooKeeper
  readonly #options: SessionOptions
  readonly #ended = new AbortController()
  #isWatching = false

  constructor(zookeeper: FakeZooKeeper, options: SessionOptions) {
    this.#zookeeper = zookeeper
    this.#options = options
  }

  get host(): string {
    return this.#options.server.host
  }

  get signal(): AbortSignal {
    return this.#ended.signal
  }

  async children(): Promise<readonly string[] | undefined> {
    this.signal.throwIfAborted()
    this.#isWatching = true
    this.#zookeeper.readings++
    const { nodes } = this.#zookeeper
    return nodes && ['log_replicas', ...nodes.keys()]
  }

  async content(path: string): Promise<Uint8Array | undefined> {
    this.signal.throwIfAborted()
    const name = path.slice(path.lastIndexOf('/') + 1)
    this.#zookeeper.beforeRead(name)
    return this.#zookeeper.nodes?.get(name)
  }

  /** Watches fire once. */
  fire(): void {
    if (!this.#isWatching) return
    this.#isWatching = false
    this.#options.onChange()
  }

  end(): void {
    this.#ended.abort(gone(this.host))
  }

  close(): void {
    this.#zookeeper.forget(this)
    this.end()
  }
}

function gone(host: string): NavstarError {
  return new NavstarError('ZOOKEEPER_UNREACHABLE', { attempt: `reach ${host}` })
}

function nameOf(sequence: number): string {
  return `json.info_${String(sequence).padStart(10, '0')}`
}

/**
 * One session with one server of ZooKeeper, from connecting to the first trouble.
 *
 * We hold nothing in ZooKeeper, so a session is not worth keeping: whatever goes wrong ends it,
 * and the source opens the next one, elsewhere. That also keeps us clear of what the library does
 * not do: it takes no notice of a server that falls silent, reconnects for ever, cannot be told
 * an IPv6 address, lets exceptions of its decoder escape, and leaves sockets behind when closed
 * while it is not connected. The few of its innards that this takes are named in {@link Innards}.
 *
 * **Source:** Apache ZooKeeper programmer's guide (sessions, watches); `ClientCnxn.java` for the
 * timeouts: a ping after a third of the session's time-out, given up after two thirds
 */
import type { Socket } from 'node:net'
import { type Client, createClient, Exception } from 'node-zookeeper-client'
import type { Clock } from '../../base/clock.ts'
import { NavstarError } from '../../base/error.ts'
import type { Closeable } from '../../base/scope.ts'
import { withDeadline } from './deadline.ts'
import type { HostPort } from './master-address.ts'
import { describeHostPort } from './masters.ts'

/** What the source needs of ZooKeeper. */
export interface ZooKeeperReader extends Closeable {
  /** Aborted with a NavstarError when the session is of no more use. */
  readonly signal: AbortSignal
  /** The children of a node, watched; undefined when there is no such node, watched as well. */
  children(path: string): Promise<readonly string[] | undefined>
  /** The content of a node, watched; undefined when it is gone. */
  content(path: string): Promise<Uint8Array | undefined>
}

/** How a session is opened. */
export interface SessionOptions {
  readonly server: HostPort
  /** `user:password` */
  readonly digest?: string
  readonly clock: Clock
  readonly sessionTimeoutMs: number
  readonly connectTimeoutMs: number
  /** Something that was read through the session changed. */
  readonly onChange: () => void
  readonly signal: AbortSignal
}

/**
 * Opens a session.
 *
 * @throws NavstarError ZOOKEEPER_UNREACHABLE; the signal's reason when aborted
 */
export type OpenSession = (options: SessionOptions) => Promise<ZooKeeperReader>

/** More than ZooKeeper ever sends: its own limit is 1 MiB for a node or a list. */
const MAX_PENDING_BYTES = 8 * 1024 * 1024

/** The parts of the library that have no public way in. */
interface Innards {
  servers: { readonly host: string; readonly port: number }[]
  socket?: Socket
  pendingBuffer: Buffer | null
  /** Called to connect, and by the library itself whenever a connection ends. */
  connect(): void
  onSocketData(bytes: Buffer): void
  onSocketError(error: Error): void
}

/** Opens a session over the network. */
export const openZooKeeperSession: OpenSession = async (options) => {
  const session = new ZooKeeperSession(options)
  const { clock, connectTimeoutMs: timeoutMs, signal } = options
  try {
    await withDeadline({ clock, timeoutMs, signal }, (within) => session.connect(within))
    return session
  } catch (error) {
    session.close()
    signal.throwIfAborted()
    throw unreachable(options.server, error)
  }
}

class ZooKeeperSession implements ZooKeeperReader {
  readonly #options: SessionOptions
  readonly #client: Client
  readonly #innards: Innards
  readonly #ended = new AbortController()
  #heardMs: number
  #socketError: Error | undefined

  constructor(options: SessionOptions) {
    this.#options = options
    this.#heardMs = options.clock.nowMs()
    this.#client = createClient('replaced', { sessionTimeout: options.sessionTimeoutMs })
    this.#innards = (this.#client as unknown as { connectionManager: Innards }).connectionManager
    this.#innards.servers = [options.server]
    this.#guardDecoder()
    const dropTimer = this.#innards.onSocketError.bind(this.#innards)
    this.#innards.onSocketError = (error) => {
      this.#socketError = error
      dropTimer(error)
    }
    if (options.digest !== undefined)
      this.#client.addAuthInfo('digest', Buffer.from(options.digest))
  }

  get signal(): AbortSignal {
    return this.#ended.signal
  }

  async connect(signal: AbortSignal): Promise<void> {
    const client = this.#client
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const end = (reason: string) => () => this.#end(this.#socketError ?? new Error(reason))
    client.once('connected', resolve)
    client.once('expired', end('the session expired'))
    client.once('authenticationFailed', end('the credentials were refused'))
    const onEnd = () => reject(this.signal.reason)
    const onAbort = () => reject(signal.reason)
    this.signal.addEventListener('abort', onEnd, { once: true })
    signal.addEventListener('abort', onAbort, { once: true })
    client.connect()
    // The library's way to say that the connection ended; a first one that fails has no event.
    this.#innards.connect = end('the server closed the connection')
    try {
      await promise
    } finally {
      signal.removeEventListener('abort', onAbort)
      this.signal.removeEventListener('abort', onEnd)
    }
    void this.#endWhenSilent()
  }

  async children(path: string): Promise<readonly string[] | undefined> {
    const children = await this.#ask<string[]>(path, (callback) =>
      this.#client.getChildren(path, this.#options.onChange, callback),
    )
    if (children !== undefined) return children
    const stat = await this.#ask<object>(path, (callback) =>
      this.#client.exists(path, this.#options.onChange, (error, found) => callback(error, found)),
    )
    // Made meanwhile: the watch of existence does not tell of children.
    return stat === undefined ? undefined : this.children(path)
  }

  async content(path: string): Promise<Uint8Array | undefined> {
    return this.#ask<Buffer>(path, (callback) =>
      this.#client.getData(path, this.#options.onChange, callback),
    )
  }

  /** Gives up the session, telling the server where there is a connection. */
  close(): void {
    this.#end(new Error('closed'))
  }

  #end(cause: unknown): void {
    if (this.signal.aborted) return
    this.#ended.abort(unreachable(this.#options.server, cause))
    const { socket } = this.#innards
    if (socket?.readyState === 'open') {
      this.#client.close()
      socket.destroySoon()
    } else {
      // The library makes the socket one tick after it was told to connect. With an error, it
      // also drops its timer.
      process.nextTick(() => this.#innards.socket?.destroy(new Error('closed')))
    }
  }

  #ask<T>(
    path: string,
    send: (callback: (error: Error | Exception | null, answer?: T) => void) => void,
  ): Promise<T | undefined> {
    this.signal.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<T | undefined>()
    const onEnd = () => reject(this.signal.reason)
    this.signal.addEventListener('abort', onEnd, { once: true })
    send((error, answer) => {
      if (error === null || error === undefined) resolve(answer ?? undefined)
      else if (codeOf(error) === Exception.NO_NODE) resolve(undefined)
      else reject(refusal(error, `read ${path} at ${describeHostPort(this.#options.server)}`))
    })
    return promise.finally(() => this.signal.removeEventListener('abort', onEnd))
  }

  /** Notes every sign of life; what the decoder cannot read ends the session, not the daemon. */
  #guardDecoder(): void {
    const innards = this.#innards
    const decode = innards.onSocketData.bind(innards)
    innards.onSocketData = (bytes) => {
      this.#heardMs = this.#options.clock.nowMs()
      if (this.signal.aborted) return
      try {
        decode(bytes)
      } catch (error) {
        this.#end(error)
      }
      if ((innards.pendingBuffer?.length ?? 0) > MAX_PENDING_BYTES)
        this.#end(new Error(`more than ${MAX_PENDING_BYTES} bytes in one answer`))
    }
  }

  async #endWhenSilent(): Promise<void> {
    const { clock } = this.#options
    const thirdMs = this.#client.getSessionTimeout() / 3
    while (!this.signal.aborted) {
      await clock.sleep(thirdMs / 2, { signal: this.signal }).catch(() => undefined)
      const silentMs = clock.nowMs() - this.#heardMs
      if (silentMs > 2 * thirdMs) this.#end(new Error(`silent for ${Math.round(silentMs)} ms`))
    }
  }
}

function codeOf(error: Error | Exception): number | undefined {
  return error instanceof Exception ? error.getCode() : undefined
}

function refusal(error: Error | Exception, attempt: string): NavstarError {
  const code = codeOf(error)
  const isForbidden = code === Exception.NO_AUTH || code === Exception.AUTH_FAILED
  const cause = error instanceof Error ? error : new Error(error.toString())
  return new NavstarError(isForbidden ? 'ZOOKEEPER_FORBIDDEN' : 'ZOOKEEPER_UNREACHABLE', {
    attempt,
    cause,
  })
}

function unreachable(server: HostPort, cause: unknown): NavstarError {
  if (cause instanceof NavstarError) return cause
  const attempt = `follow ZooKeeper at ${describeHostPort(server)}`
  return new NavstarError('ZOOKEEPER_UNREACHABLE', { attempt, cause })
}

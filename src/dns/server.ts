import { backoffMs } from '../base/backoff.ts'
import type { Clock } from '../base/clock.ts'
import { NavstarError } from '../base/error.ts'
import type { Log } from '../base/log.ts'
import type { Random } from '../base/random.ts'
import type { Endpoint } from '../model/endpoint.ts'
import { formatEndpoint } from '../model/vip.ts'
import type { Listener, ListenerContext } from './listener.ts'
import { openTcpListener } from './tcp-listener.ts'
import { openUdpListener } from './udp-listener.ts'

/** How a listen address does. */
export interface AddressStatus {
  /** Once bound where it really listens, e.g. `198.51.100.1:53`. */
  readonly address: string
  readonly state: 'starting' | 'listening' | 'failed'
  /** Why it does not listen. */
  readonly error?: NavstarError
}

/** What the server works with. */
export interface ServerContext extends ListenerContext {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** How often a port of the kernel's choice is tried that TCP has free and UDP perhaps not. */
const ANY_PORT_ATTEMPTS = 10

const RETRY = { baseMs: 500, maxMs: 5_000 } as const

/** Serves a list of addresses, each by UDP and TCP; each fails and comes back by itself. */
export class Server {
  readonly #context: ServerContext
  readonly #statuses: AddressStatus[]
  readonly #firstAttempts: Promise<void>

  constructor(listen: readonly Endpoint[], context: ServerContext) {
    this.#context = context
    this.#statuses = listen.map((endpoint) => ({
      address: formatEndpoint(endpoint),
      state: 'starting',
    }))
    this.#publish()
    this.#firstAttempts = Promise.all(
      listen.map((endpoint, index) => this.#keep(endpoint, index)),
    ).then(() => undefined)
  }

  /** Every address and whether it listens, in the order of the configuration. */
  addresses(): readonly AddressStatus[] {
    return [...this.#statuses]
  }

  /** Resolves when each address was bound or failed once. */
  get firstAttempts(): Promise<void> {
    return this.#firstAttempts
  }

  /** Keeps one address bound until the scope closes. @returns when the first attempt is over */
  #keep(endpoint: Endpoint, index: number): Promise<void> {
    const first = Promise.withResolvers<void>()
    this.#context.scope.run(async (signal) => {
      for (let failures = 0; !signal.aborted; ) {
        const error = await this.#serveOnce(endpoint, index, () => {
          failures = 0
          first.resolve()
        })
        first.resolve()
        if (signal.aborted) return
        this.#fail(endpoint, index, error)
        const { clock, random } = this.#context
        await clock.sleep(backoffMs(RETRY, failures++, random), { signal })
      }
    })
    return first.promise
  }

  /** Binds, serves until a socket fails or the scope closes. @returns why it ended */
  async #serveOnce(endpoint: Endpoint, index: number, onBound: () => void): Promise<unknown> {
    try {
      const listeners = await this.#openBoth(endpoint)
      const address = formatEndpoint(listeners[0].endpoint)
      this.#set(index, { address, state: 'listening' })
      this.#context.log.info('dns address listens', { address })
      onBound()
      const failures = listeners.map(({ failed }) => failed)
      const reason = await Promise.race([...failures, aborted(this.#context.scope.signal)])
      await Promise.all(listeners.map((listener) => listener.close()))
      return reason
    } catch (error) {
      return error
    }
  }

  /** Binds TCP and UDP to one port; when any will do, tries until one is free for both. */
  async #openBoth(endpoint: Endpoint): Promise<readonly [Listener, Listener]> {
    for (let attemptsLeft = endpoint.port === 0 ? ANY_PORT_ATTEMPTS : 1; ; attemptsLeft--) {
      const tcp = await openTcpListener(endpoint, this.#context)
      try {
        return [tcp, await openUdpListener(tcp.endpoint, this.#context)]
      } catch (error) {
        await tcp.close()
        if (attemptsLeft <= 1) throw error
      }
    }
  }

  #fail(endpoint: Endpoint, index: number, cause: unknown): void {
    const address = formatEndpoint(endpoint)
    const error = new NavstarError('DNS_BIND_FAILED', { attempt: `listen on ${address}`, cause })
    const before = this.#statuses[index]?.error
    this.#set(index, { address, state: 'failed', error })
    // The same failure again is no news.
    if (before?.message !== error.message)
      this.#context.log.error('dns address cannot be bound', { address, error })
  }

  #set(index: number, status: AddressStatus): void {
    this.#statuses[index] = status
    this.#publish()
  }

  #publish(): void {
    for (const state of ['starting', 'listening', 'failed'] as const) {
      const count = this.#statuses.filter((status) => status.state === state).length
      this.#context.metrics.addresses.set({ state }, count)
    }
  }
}

function aborted(signal: AbortSignal): Promise<unknown> {
  const { promise, resolve } = Promise.withResolvers<unknown>()
  if (signal.aborted) resolve(signal.reason)
  else signal.addEventListener('abort', () => resolve(signal.reason), { once: true })
  return promise
}

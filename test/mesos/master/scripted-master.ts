import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { MasterAddress } from '../../../src/mesos/master/master-address.ts'
import { parsePort } from '../../../src/model/port.ts'

/** A call as it came. */
export interface Call {
  readonly type: string
  readonly headers: IncomingMessage['headers']
}

/** What a script does with a call. */
export type Script = (call: Call, response: ServerResponse) => void

/** A stream that a client follows. */
export class ScriptedStream {
  readonly #response: ServerResponse
  #hasEnded = false

  constructor(response: ServerResponse) {
    this.#response = response
    response.once('close', () => {
      this.#hasEnded = true
    })
  }

  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /** Bytes that the client has not taken yet. */
  get waitingBytes(): number {
    return this.#response.writableLength
  }

  /** Sends events as records, in chunks of so many bytes. */
  send(events: readonly object[], chunkBytes: number = Number.POSITIVE_INFINITY): void {
    this.raw(events.map((event) => recordOf(JSON.stringify(event))).join(''), chunkBytes)
  }

  raw(text: string, chunkBytes: number = Number.POSITIVE_INFINITY): void {
    const bytes = Buffer.from(text)
    const size = Math.min(chunkBytes, bytes.length)
    for (let at = 0; at < bytes.length; at += size) {
      this.#response.write(bytes.subarray(at, at + size))
    }
  }

  end(how: 'last chunk' | 'FIN' | 'RST'): void {
    if (how === 'last chunk') this.#response.end()
    else if (how === 'FIN') this.#response.socket?.end()
    else this.#response.socket?.resetAndDestroy()
  }
}

/** A master that does what the test says; by default it streams to whoever subscribes. */
export class ScriptedMaster {
  readonly calls: Call[] = []
  readonly streams: ScriptedStream[] = []
  /** The state that audits get. */
  state: object = {}
  script: Script = (call, response) => this.serve(call, response)
  readonly #server: Server
  readonly #isTls: boolean

  /** @param pem key and certificate in one: it speaks TLS */
  private constructor(pem?: string) {
    const take = (request: IncomingMessage, response: ServerResponse) =>
      void this.#take(request, response)
    this.#isTls = pem !== undefined
    this.#server =
      pem === undefined ? createServer(take) : createTlsServer({ key: pem, cert: pem }, take)
  }

  static async open(pem?: string): Promise<ScriptedMaster> {
    const master = new ScriptedMaster(pem)
    const { promise, resolve } = Promise.withResolvers<void>()
    master.#server.listen(0, '127.0.0.1', resolve)
    await promise
    return master
  }

  /** `127.0.0.1:40123`. */
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  get address(): MasterAddress {
    const port = parsePort(this.host.slice('127.0.0.1:'.length))
    if (port === undefined) throw new Error('no port')
    return { address: '127.0.0.1', port, isTls: this.#isTls }
  }

  /** The newest stream. */
  get stream(): ScriptedStream {
    const stream = this.streams.at(-1)
    if (stream === undefined) throw new Error('nobody has subscribed')
    return stream
  }

  /** As a leading master that knows JSON only. */
  serve({ type, headers }: Call, response: ServerResponse): void {
    if (headers['content-type'] !== 'application/json') {
      response.writeHead(415).end('Expecting application/json')
      return
    }
    response.writeHead(200, { 'content-type': 'application/json' })
    if (type === 'GET_STATE') {
      response.end(JSON.stringify({ type, get_state: this.state }))
    } else {
      response.flushHeaders()
      this.streams.push(new ScriptedStream(response))
    }
  }

  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#server.close(() => resolve())
    this.#server.closeAllConnections()
    await promise
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    const type = body.includes('GET_STATE') || body === '\x08\x09' ? 'GET_STATE' : 'SUBSCRIBE'
    const call = { type, headers: request.headers }
    this.calls.push(call)
    this.script(call, response)
  }
}

/** A record of RecordIO. */
export function recordOf(text: string): string {
  return `${Buffer.byteLength(text)}\n${text}`
}

/** A master's state with agents at 10.0.0.x and tasks on them. */
export function stateMessage(
  agents: readonly number[],
  tasks: Readonly<Record<string, number>> = {},
): object {
  return {
    get_tasks: {
      tasks: Object.entries(tasks).map(([id, host]) => taskMessage(id, host)),
    },
    get_executors: {},
    get_frameworks: {},
    get_agents: { agents: agents.map(agentMessage) },
  }
}

/** SUBSCRIBED with such a state. @param heartbeatSeconds 0: none are promised */
export function subscribedEvent(
  state: object = stateMessage([1], { web: 1 }),
  heartbeatSeconds = 15,
): object {
  const interval = heartbeatSeconds === 0 ? {} : { heartbeat_interval_seconds: heartbeatSeconds }
  return { type: 'SUBSCRIBED', subscribed: { get_state: state, ...interval } }
}

/** TASK_ADDED: `web` on 10.0.0.1. */
export function taskAddedEvent(id = 'web', host = 1): object {
  return { type: 'TASK_ADDED', task_added: { task: taskMessage(id, host) } }
}

/** TASK_UPDATED. */
export function taskUpdatedEvent(id: string, host: number, state: string): object {
  const status = { task_id: { value: id }, agent_id: { value: `S${host}` }, state }
  return {
    type: 'TASK_UPDATED',
    task_updated: { framework_id: { value: 'f' }, status, state },
  }
}

/** AGENT_ADDED: `S1` at 10.0.0.1. */
export function agentAddedEvent(host = 1): object {
  return { type: 'AGENT_ADDED', agent_added: { agent: agentMessage(host) } }
}

/** AGENT_REMOVED. */
export function agentRemovedEvent(host = 1): object {
  return { type: 'AGENT_REMOVED', agent_removed: { agent_id: { value: `S${host}` } } }
}

function taskMessage(id: string, host: number): object {
  return {
    name: id,
    task_id: { value: id },
    framework_id: { value: 'f' },
    agent_id: { value: `S${host}` },
    state: 'TASK_RUNNING',
  }
}

function agentMessage(host: number): object {
  const hostname = `10.0.0.${host}`
  return {
    agent_info: { hostname, id: { value: `S${host}` }, port: 5051 },
    active: true,
    pid: `slave(1)@${hostname}:5051`,
  }
}

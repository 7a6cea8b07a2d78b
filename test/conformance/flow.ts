/** A client's socket: opened once, then any number of exchanges with whoever serves it. */
import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { type Destination, EXCHANGE_TIMEOUT_MS, type Exchange, type Target } from './traffic.ts'

/** An open socket of a client. */
export interface Flow {
  say(): Promise<Exchange>
  close(): void
}

/** What a server tells: its name and the client that it sees. */
export interface ServerWords {
  readonly server: string
  readonly client: Target
}

/** Opens a socket. @throws Error with a `code` when the kernel or the other side refuses */
export function openFlow(destination: Destination): Promise<Flow> {
  return destination.transport === 'tcp' ? openTcp(destination) : openUdp(destination)
}

async function openTcp({ address, port, timeoutMs, localPort }: Destination): Promise<Flow> {
  const socket = connect({ host: address, port, ...(localPort !== undefined && { localPort }) })
  const answers = new Waiting<ServerWords>(timeoutMs)
  socket.once('error', (error) => answers.fail(error))
  socket.once('close', () => answers.fail(failure('ECLOSED')))
  createInterface(socket)
    .on('line', (line) => answers.give(JSON.parse(line)))
    .on('error', () => undefined) // the socket's own listener has it
  const connected = answers.next()
  const words = await connected.catch((error: unknown) => {
    socket.destroy()
    throw error
  })
  const at = { address: socket.remoteAddress ?? '', port: socket.remotePort ?? 0 }
  let greeting: ServerWords | undefined = words
  const say = async (): Promise<Exchange> => {
    const first = greeting
    greeting = undefined
    if (first !== undefined) return { ...first, source: at, peer: at }
    const answer = answers.next()
    socket.write('again\n')
    return { ...(await answer), source: at, peer: at }
  }
  return { say, close: () => void socket.destroy() }
}

async function openUdp({ address, port, transport, timeoutMs }: Destination): Promise<Flow> {
  const isConnected = transport === 'udp connected'
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
  const answers = new Waiting<Exchange>(timeoutMs)
  socket.on('error', (error) => answers.fail(error))
  if (isConnected) {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    // The types do not know it: the callback gets the error, and no 'error' event comes.
    const done = (error?: Error) => (error === undefined ? resolve() : reject(error))
    socket.connect(port, address, done)
    await promise.catch((error: unknown) => {
      socket.close()
      throw error
    })
  }
  const remote = isConnected ? socket.remoteAddress() : undefined
  const peer = remote && { peer: { address: remote.address, port: remote.port } }
  socket.on('message', (message, source) => {
    const words = JSON.parse(message.toString()) as ServerWords
    answers.give({ ...words, ...peer, source: { address: source.address, port: source.port } })
  })
  const say = (): Promise<Exchange> => {
    const answer = answers.next()
    const sent = (error: Error | null) => void (error && answers.fail(error))
    if (isConnected) socket.send('hello', sent)
    else socket.send('hello', port, address, sent)
    return answer
  }
  return { say, close: () => void socket.close() }
}

/** Hands each thing that comes to the one who waits, and lets nobody wait for ever. */
class Waiting<T> {
  #waiter: PromiseWithResolvers<T> | undefined
  #failure: Error | undefined
  readonly #timeoutMs: number

  constructor(timeoutMs = EXCHANGE_TIMEOUT_MS) {
    this.#timeoutMs = timeoutMs
  }

  next(): Promise<T> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    const waiter = Promise.withResolvers<T>()
    const timer = setTimeout(() => waiter.reject(failure('ETIMEDOUT')), this.#timeoutMs)
    this.#waiter = waiter
    return waiter.promise.finally(() => clearTimeout(timer))
  }

  give(thing: T): void {
    this.#waiter?.resolve(thing)
  }

  fail(error: Error): void {
    this.#failure = error
    this.#waiter?.reject(error)
  }
}

function failure(code: string): Error {
  return Object.assign(new Error(code), { code })
}

/**
 * One question to one upstream resolver: a fresh socket, a fresh random id, and only a reply that
 * repeats both and the question counts.
 *
 * **Source:** RFC 5452 §9 (id, port, address and question of a reply), RFC 7766 §5 (TC → TCP)
 */
import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import type { Endpoint } from '../model/endpoint.ts'
import { isIpv4 } from '../model/ip.ts'
import { FrameReader, frameOf } from './framing.ts'
import { FLAG, HEADER_BYTES, type Query, readQuestion } from './query.ts'
import type { Transport } from './response.ts'

/** A question on its way to an upstream. */
export interface Exchange {
  readonly upstream: Endpoint
  /** The client's packet, relayed as it is but for the id. */
  readonly packet: Buffer
  readonly query: Query
  readonly transport: Transport
  /** The id to use, 0 to 65535, that nobody else can guess. */
  readonly id: number
}

/**
 * Asks the upstream and waits for its reply; a truncated one is asked for again by TCP.
 *
 * @returns the reply, with the client's id and spelling of the question
 * @throws what the socket throws; the signal's reason when aborted
 */
export async function exchangeWith(
  exchange: Exchange,
  { signal }: { readonly signal: AbortSignal },
): Promise<Buffer> {
  signal.throwIfAborted()
  const { packet, query, transport, id } = exchange
  const request = Buffer.from(packet)
  request.writeUInt16BE(id, 0)
  const reply = await (transport === 'tcp' ? askByTcp : askByUdp)(exchange, request, signal)
  const isTruncated = (reply.readUInt16BE(2) & FLAG.tc) !== 0
  const whole =
    isTruncated && transport === 'udp'
      ? await askByTcp(exchange, request, signal).catch(() => reply)
      : reply
  const response = Buffer.from(whole)
  response.writeUInt16BE(query.id, 0)
  if (response.readUInt16BE(4) === 1) query.question.wire.copy(response, HEADER_BYTES)
  return response
}

/** Whether the message is the reply to this exchange and no forgery or leftover. */
function isReplyTo({ id, query }: Exchange, message: Buffer): boolean {
  if (message.length < HEADER_BYTES || message.readUInt16BE(0) !== id) return false
  const flags = message.readUInt16BE(2)
  if ((flags & FLAG.qr) === 0 || ((flags >> 11) & 15) !== 0) return false
  // Some servers leave the question out of an error; it then proves nothing but the error.
  if (message.readUInt16BE(4) === 0) return (flags & 15) !== 0
  const question = message.readUInt16BE(4) === 1 ? readQuestion(message) : undefined
  return (
    question !== undefined &&
    question.name === query.question.name &&
    question.type === query.question.type &&
    question.class === query.question.class
  )
}

function askByUdp(exchange: Exchange, request: Buffer, signal: AbortSignal): Promise<Buffer> {
  const { address, port } = exchange.upstream
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const socket = createSocket(isIpv4(address) ? 'udp4' : 'udp6')
  const onAbort = () => reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  socket.on('error', reject)
  socket.on('message', (message) => {
    if (isReplyTo(exchange, message)) resolve(message)
  })
  // Connected, so that the kernel takes packets from this address and port only, and tells of a
  // closed port at once.
  socket.once('connect', () => {
    socket.send(request, (error) => {
      if (error !== null) reject(error)
    })
  })
  socket.connect(port, address)
  return promise.finally(() => {
    signal.removeEventListener('abort', onAbort)
    socket.close()
  })
}

function askByTcp(exchange: Exchange, request: Buffer, signal: AbortSignal): Promise<Buffer> {
  const { address, port } = exchange.upstream
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const frames = new FrameReader()
  const socket = connect({ host: address, port })
  const onAbort = () => reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  socket.on('error', reject)
  socket.on('close', () => reject(new Error('the upstream closed the connection')))
  socket.on('data', (chunk) => {
    for (const message of frames.push(chunk)) if (isReplyTo(exchange, message)) resolve(message)
  })
  socket.write(frameOf(request))
  return promise.finally(() => {
    signal.removeEventListener('abort', onAbort)
    socket.destroy()
  })
}

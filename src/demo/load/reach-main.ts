/**
 * Waits for services: asks each address on standard input, e.g. `11.200.0.1:80`, again and again until
 * it answers. Prints `asking`, then `answered 81234.56` with the machine's monotonic milliseconds of
 * the answer, or `silent`. An attempt waits for none before it: what the kernel does not answer would
 * else hold up the next.
 */
import { connect, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { clearInterval, clearTimeout, setInterval, setTimeout } from 'node:timers'
import { monotonicMs } from './monotonic.ts'

const PERIOD_MS = 3
const ATTEMPT_MS = 150
const PATIENCE_MS = 15_000

for await (const address of createInterface({ input: process.stdin })) {
  process.stdout.write('asking\n')
  const answeredMs = await untilAnswered(address)
  process.stdout.write(answeredMs === undefined ? 'silent\n' : `answered ${answeredMs}\n`)
}

async function untilAnswered(address: string): Promise<number | undefined> {
  const { promise, resolve } = Promise.withResolvers<number | undefined>()
  const open = new Set<Socket>()
  const ticker = setInterval(() => attempt(address, open, resolve), PERIOD_MS)
  const patience = setTimeout(() => resolve(undefined), PATIENCE_MS)
  const answeredMs = await promise
  clearInterval(ticker)
  clearTimeout(patience)
  for (const socket of open) socket.destroy()
  return answeredMs
}

function attempt(address: string, open: Set<Socket>, answered: (atMs: number) => void): void {
  const colon = address.lastIndexOf(':')
  const socket = connect({ host: address.slice(0, colon), port: Number(address.slice(colon + 1)) })
  open.add(socket)
  socket.setTimeout(ATTEMPT_MS, () => socket.destroy())
  socket.once('connect', () => socket.write('GET / HTTP/1.0\r\n\r\n'))
  socket.once('data', () => answered(monotonicMs()))
  socket.on('error', () => undefined) // not yet
  socket.once('close', () => open.delete(socket))
}

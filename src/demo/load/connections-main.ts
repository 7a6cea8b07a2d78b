/**
 * Opens new connections at a steady rate, whatever becomes of them, and prints a line of JSON for
 * each once it was answered or failed (load/attempt.ts): `--url http://11.0.0.1:80/`,
 * `--per-second 200`, `--timeout-ms 900` from connect to answer; until standard input ends.
 */
import { connect } from 'node:net'
import { clearInterval, clearTimeout, setInterval, setTimeout } from 'node:timers'
import { parseArgs } from 'node:util'
import type { Attempt } from './attempt.ts'
import { monotonicMs } from './monotonic.ts'

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: '' },
    'per-second': { type: 'string', default: '200' },
    'timeout-ms': { type: 'string', default: '900' },
  },
})
const { hostname, port } = new URL(values.url)
const target = { host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 80) }
const periodMs = 1000 / Number(values['per-second'])
const timeoutMs = Number(values['timeout-ms'])

let dueMs = monotonicMs()
const ticker = setInterval(openDue, Math.max(1, periodMs / 2))
process.stdin.resume()
process.stdin.once('end', () => clearInterval(ticker))

/** Opens as many as are due, so that a late tick lowers no rate; after a long stall not all at once. */
function openDue(): void {
  const nowMs = monotonicMs()
  dueMs = Math.max(dueMs, nowMs - MAX_LATE_MS)
  for (; dueMs <= nowMs; dueMs += periodMs) open()
}

function open(): void {
  const startedMs = monotonicMs()
  const socket = connect(target)
  let answer = ''
  let isOver = false
  const end = (outcome: Pick<Attempt, 'backend' | 'failure'>): void => {
    if (isOver) return
    isOver = true
    socket.destroy()
    clearTimeout(timer)
    const attempt: Attempt = { startedMs, endedMs: monotonicMs(), ...outcome }
    process.stdout.write(`${JSON.stringify(attempt)}\n`)
  }
  const timer = setTimeout(() => end({ failure: 'TIMEOUT' }), timeoutMs)
  socket.once('connect', () => socket.write(`GET / HTTP/1.0\r\nHost: ${hostname}\r\n\r\n`))
  socket.on('data', (chunk) => (answer += chunk.toString()))
  socket.once('error', (error: NodeJS.ErrnoException) => end({ failure: error.code ?? 'ERROR' }))
  socket.once('end', () => {
    const backend = /^x-backend: (\S+)/im.exec(answer)?.[1]
    end(backend === undefined ? { failure: 'NO_ANSWER' } : { backend })
  })
}

const MAX_LATE_MS = 100

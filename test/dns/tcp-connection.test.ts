import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { Scope } from '../../src/base/scope.ts'
import { VirtualClock } from '../../src/base/virtual-clock.ts'
import { FrameReader, frameOf } from '../../src/dns/framing.ts'
import { dnsMetrics } from '../../src/dns/metrics.ts'
import { TcpConnection } from '../../src/dns/tcp-connection.ts'
import { eventually } from './running-server.ts'

test('no more is read while 32 queries wait, and reading goes on when one is answered', async () => {
  const frames = new FrameReader()
  const replies: Buffer[] = []
  const stream = new Duplex({
    read: () => undefined,
    write: (chunk, _encoding, done) => {
      replies.push(...frames.push(chunk))
      done()
    },
  })
  const waiting: ((response: Buffer) => void)[] = []
  const scope = new Scope((error) => expect(error).toBeUndefined())
  const respond = () => {
    const { promise, resolve } = Promise.withResolvers<Buffer>()
    waiting.push(resolve)
    return promise
  }
  const metrics = dnsMetrics(new Registry())
  // Only what every stream can is used of the socket.
  new TcpConnection(stream as Socket, { respond, clock: new VirtualClock(), metrics, scope })
  const query = frameOf(Buffer.from('query'))
  stream.push(Buffer.concat(Array.from({ length: 33 }, () => query)))
  await eventually(() => waiting.length === 32)
  expect(stream.isPaused()).toBe(true)
  waiting[0]?.(Buffer.from('first'))
  await eventually(() => waiting.length === 33)
  expect(replies).toEqual([Buffer.from('first')])
  expect(stream.isPaused()).toBe(true)
  waiting[1]?.(Buffer.from('second'))
  await eventually(() => !stream.isPaused())
  for (const answer of waiting) answer(Buffer.from('rest'))
  await eventually(() => replies.length === 33)
  stream.destroy()
  await scope.close()
})

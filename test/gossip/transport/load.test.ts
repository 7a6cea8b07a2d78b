import { afterEach, expect, test, vi } from 'vitest'
import { closeAll, delta, ping, startTransport, until } from './running-transport.ts'

vi.setConfig({ testTimeout: 20_000 })

afterEach(closeAll)

test('a large transfer lets datagrams through', async () => {
  const [left, right] = [await startTransport(1), await startTransport(2)]
  left.send(right.destination, 'datagram', [ping(0)])
  await until(() => right.sequences('datagram').length === 1)
  for (let count = 0; count < 60; count++) left.send(right.destination, 'stream', [delta(65_536)])
  left.send(right.destination, 'datagram', [ping(1)])
  await until(() => right.sequences('datagram').length === 2)
  const streamedBefore = right.sequences('stream').length
  await until(() => right.sequences('stream').length === 60)
  expect(streamedBefore).toBeLessThan(60)
})

test('a busy receiver stops the sender, instead of keeping what it cannot handle yet', async () => {
  const left = await startTransport(1)
  let handled = 0
  const right = await startTransport(2, {
    onReceived: () => {
      handled++
      for (const endMs = performance.now() + 10; performance.now() < endMs; );
    },
  })
  const isStopped = () => (left.dropped.get('queue-full') ?? 0) > 0
  let sent = 0
  for (; sent < 1200 && !isStopped(); sent++) {
    left.send(right.destination, 'stream', [delta(65_536)])
    if (sent % 8 === 7) await new Promise((resolve) => setImmediate(resolve))
  }
  expect(isStopped()).toBe(true)
  expect(handled).toBeLessThan(sent / 2)
})

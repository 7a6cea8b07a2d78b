import { afterEach, expect, test, vi } from 'vitest'
import { type KeyRing, keySet } from '../../../src/gossip/transport/key-ring.ts'
import { closeAll, KEY, OTHER_KEY, ping, startTransport, until } from './running-transport.ts'

vi.setConfig({ testTimeout: 20_000 })

afterEach(closeAll)

test('keys change without loss: add, use, remove', async () => {
  const rings = [1, 2].map(() => changingRing())
  const [left, right] = await Promise.all(
    rings.map(({ ring }, index) => startTransport(index + 1, { keys: ring })),
  )
  if (left === undefined || right === undefined) throw new Error('two were started')
  let sequence = 0
  const exchange = async () => {
    for (let count = 0; count < 5; count++) {
      sequence++
      for (const [from, to] of [[left, right] as const, [right, left] as const]) {
        from.send(to.destination, 'datagram', [ping(sequence)])
        from.send(to.destination, 'stream', [ping(sequence)])
      }
    }
    for (const channel of ['datagram', 'stream'] as const)
      await until(() => [left, right].every((node) => node.sequences(channel).length === sequence))
  }
  await exchange()
  for (const { change } of rings) {
    change([KEY, OTHER_KEY], KEY)
    await exchange()
  }
  for (const { change } of rings) {
    change([KEY, OTHER_KEY], OTHER_KEY)
    await exchange()
  }
  for (const { change } of rings) {
    change([OTHER_KEY], OTHER_KEY)
    await exchange()
  }
  for (const node of [left, right]) {
    expect(node.sequences('stream')).toEqual(Array.from({ length: sequence }, (_, n) => n + 1))
    expect([...node.rejected, ...node.dropped, ...node.unreachable]).toEqual([])
  }
})

/** A ring that a test changes. */
function changingRing() {
  let keys = keySet([KEY], KEY)
  const ring: KeyRing = {
    get sending() {
      return keys.sending
    },
    find: (number) => keys.find(number),
  }
  return { ring, change: (...parts: Parameters<typeof keySet>) => (keys = keySet(...parts)) }
}

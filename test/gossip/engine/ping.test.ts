import { describe, expect, test } from 'vitest'
import { accuse, endpointOf, nodeOf, notaryOf } from './nodes.ts'
import { Watch } from './watch.ts'

describe('a ping', () => {
  const ping = { kind: 'ping', sequence: 77, digest: { high: 1, low: 2 } } as const

  test('is answered with its sequence and the digest of what is known', () => {
    const watch = new Watch(0)
    watch.stand.call(() => watch.prober.onPing(watch.subject, endpointOf(9), ping))
    const digest = watch.stand.ground.membership.digests.root
    expect(watch.stand.sent.map(({ to, message }) => ({ to, message }))).toEqual([
      { to: watch.subject, message: { kind: 'ack', sequence: 77, digest } },
    ])
  })

  test('of a suspect is answered with the doubt', () => {
    const watch = new Watch(1)
    watch.stand.ground.membership.accuse(accuse(notaryOf('relay 0'), watch.subject), 0)
    watch.stand.call(() => watch.prober.onPing(watch.subject, endpointOf(9), ping))
    expect(watch.stand.sent.map(({ message }) => message.kind)).toEqual(['ack', 'accusation'])
  })

  test('of a stranger is answered where it came from, and it is asked who it is', () => {
    const watch = new Watch(0)
    const stranger = nodeOf('stranger')
    watch.stand.call(() => watch.prober.onPing(stranger, endpointOf(9), ping))
    expect(watch.stand.sent.map(({ message }) => message.kind)).toEqual(['ack', 'want-members'])
    expect(watch.stand.take('want-members')[0]?.message.nodes).toEqual([stranger])
  })
})

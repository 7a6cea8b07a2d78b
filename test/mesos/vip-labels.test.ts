import { expect, test } from 'vitest'
import { vipsOf } from '../../src/mesos/state/vip-labels.ts'

function labels(text: Readonly<Record<string, string>>) {
  return Object.entries(text).map(([key, value]) => ({ key, value }))
}

test('a label with a port is a VIP, whatever its key', () => {
  const found = vipsOf(
    labels({ VIP_0: '/web:80', VIP_0_ALGORITHM: '/other:81', VIP: '10.1.2.3:53' }),
  )
  expect(found).toEqual({ vips: ['/web:80', '/other:81', '10.1.2.3:53'] })
})

test('a label whose key continues that of a VIP is an option of it', () => {
  const found = vipsOf(labels({ VIP_0_DRAIN: '30s', VIP_0: '/web:80', VIP_1: '/admin:81' }))
  expect(found).toEqual({
    vips: ['/web:80', '/admin:81'],
    vipOptions: [{ vip: '/web:80', option: 'DRAIN', value: '30s' }],
  })
})

test('the longest key has the option', () => {
  const found = vipsOf(labels({ VIP: '/one:1', VIP_0: '/two:2', VIP_0_DRAIN: 'reset' }))
  expect(found.vipOptions).toEqual([{ vip: '/two:2', option: 'DRAIN', value: 'reset' }])
})

test('a label without a port that belongs to no VIP is a malformed VIP', () => {
  expect(vipsOf(labels({ VIP_0: '/web', VIP_0_DRAIN: 'reset' }))).toEqual({
    vips: ['/web', 'reset'],
  })
})

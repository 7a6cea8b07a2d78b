import { expect, test } from 'vitest'
import { vipRangeOf } from '../../../src/l4lb/addresses/address-space.ts'
import { agreedOptions } from '../../../src/l4lb/services/agreed-options.ts'
import { DesiredServices } from '../../../src/l4lb/services/desired-services.ts'
import { parseCidr } from '../../../src/model/cidr.ts'
import type { VipOptions } from '../../../src/model/vip-options.ts'
import { port, record } from '../records.ts'

function backends(...all: readonly (VipOptions | undefined)[]) {
  return all.map((options, index) =>
    record({ port: port(8000 + index), ...(options !== undefined && { options }) }),
  )
}

test('without options there is nothing to agree on', () => {
  expect(agreedOptions(backends(undefined, {}))).toEqual({ contested: [] })
})

test('most that say something decide, per option', () => {
  const records = backends(
    { algorithm: 'rr', drain: 5 },
    { algorithm: 'maglev', drain: 5 },
    { algorithm: 'maglev' },
    undefined,
  )
  expect(agreedOptions(records)).toEqual({
    options: { algorithm: 'maglev', drain: 5 },
    contested: ['algorithm'],
  })
})

test('of equally many the first in the text decides, in whatever order they come', () => {
  const records = backends({ drain: 'reset' }, { drain: 30 })
  expect(agreedOptions(records)).toEqual(agreedOptions(records.toReversed()))
  expect(agreedOptions(records).options).toEqual({ drain: 30 })
})

test('services carry what is agreed, and differences are reported while they last', () => {
  const range = parseCidr('11.0.0.0/8')
  if (range === undefined) throw new Error('no range')
  const desired = new DesiredServices([vipRangeOf(range)])
  const records = backends({ algorithm: 'rr' }, { algorithm: 'rr' }, { algorithm: 'maglev' })
  const update = (changes: readonly ReturnType<typeof record>[], isGone = false) =>
    desired.update(
      changes.map((each) => [each.key, isGone ? undefined : each] as const),
      {
        nodeIp: undefined,
      },
    )
  const [[, service] = []] = update(records)
  expect(service?.options).toEqual({ algorithm: 'rr' })
  expect(desired.problems.map(({ code }) => code)).toEqual(['VIP_OPTION_CONTESTED'])
  update(records.slice(2), true)
  expect(desired.problems).toEqual([])
})

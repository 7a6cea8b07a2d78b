import { expect, test } from 'vitest'
import { type Attempt, judge, type VerdictGround } from '../../../src/l4lb/services/verdict.ts'
import type { Service } from '../../../src/model/vip.ts'
import { ip, port } from '../records.ts'

const VIP = { address: ip('11.0.0.1'), port: port(80), protocol: 'tcp' } as const

function groundOf(
  service: Partial<Service>,
  open: Readonly<Record<number, number>> = {},
): VerdictGround {
  const whole: Service = { ...VIP, backends: [], ...service }
  return {
    serviceAt: ({ address, port: wanted }) =>
      address === VIP.address && wanted === VIP.port ? whole : undefined,
    isInRange: (address) => address.startsWith('11.'),
    openConnections: (_, backend) => open[backend.port] ?? 0,
  }
}

function backends(...weights: readonly number[]) {
  return weights.map((weight, index) => ({
    ...{ address: ip('10.0.0.1'), port: port(8000 + index), weight },
  }))
}

function sharesOf(attempt: Attempt, ground: VerdictGround) {
  const verdict = judge(attempt, ground)
  return verdict.kind === 'balanced' ? Object.fromEntries(verdict.shares) : verdict
}

test('what is no VIP is refused within the blocks, and left alone elsewhere', () => {
  const other = { ...VIP, port: port(81) }
  expect(judge(other, groundOf({})).kind).toBe('refused')
  expect(judge({ ...other, address: ip('10.0.0.1') }, groundOf({}))).toEqual({ kind: 'untouched' })
})

test('backends share by weight, draining ones get nothing', () => {
  expect(sharesOf(VIP, groundOf({ backends: backends(3, 0, 1) }))).toEqual({
    '10.0.0.1:8000': 0.75,
    '10.0.0.1:8002': 0.25,
  })
})

test('without anybody who can take it, it is refused, with the reason', () => {
  const options = { connectionLimit: 5 }
  expect(judge(VIP, groundOf({}))).toMatchObject({ why: 'the VIP has no backend' })
  expect(judge(VIP, groundOf({ backends: backends(0) }))).toMatchObject({
    why: 'all its backends drain or are out',
  })
  const full = groundOf({ backends: backends(1, 1), options }, { 8000: 5, 8001: 6 })
  expect(judge(VIP, full)).toMatchObject({ why: 'all its backends are full' })
  const half = groundOf({ backends: backends(1, 1), options }, { 8000: 4, 8001: 6 })
  expect(sharesOf(VIP, half)).toEqual({ '10.0.0.1:8000': 1 })
})

test('a client keeps its backend while that takes connections', () => {
  const kept = { address: ip('10.0.0.1'), port: port(8001) }
  expect(sharesOf({ ...VIP, kept }, groundOf({ backends: backends(1, 1) }))).toEqual({
    '10.0.0.1:8001': 1,
  })
  expect(sharesOf({ ...VIP, kept }, groundOf({ backends: backends(1, 0) }))).toEqual({
    '10.0.0.1:8000': 1,
  })
})

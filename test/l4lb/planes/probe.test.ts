import { describe, expect, test } from 'vitest'
import { choosePlane, type PlaneProbe } from '../../../src/l4lb/planes/probe.ts'

const EBPF: PlaneProbe = { kind: 'ebpf', isUsable: true, reason: 'programs load' }
const NFTABLES: PlaneProbe = { kind: 'nftables', isUsable: true, reason: 'it translates' }
const NO_EBPF: PlaneProbe = { ...EBPF, isUsable: false, reason: 'the kernel lacks cgroup_link' }

describe('the choice of a plane', () => {
  test('is the first that works', () => {
    const choice = choosePlane([NO_EBPF, NFTABLES], { configured: 'auto' })
    expect(choice).toEqual({ ...NFTABLES, why: 'the first that works here' })
  })

  test('is the one that was switched to, while that is left open', () => {
    const choice = choosePlane([EBPF, NFTABLES], { configured: 'auto', switched: 'nftables' })
    expect(choice).toEqual({ ...NFTABLES, why: 'navstar plane switch asked for it' })
  })

  test('is the configured one above all, and says what does not count', () => {
    const wishes = { configured: 'ebpf', switched: 'nftables' } as const
    const choice = choosePlane([EBPF, NFTABLES], wishes)
    expect(choice).toMatchObject({ kind: 'ebpf', why: '--plane ebpf asks for it' })
    expect(choice.note).toBe('navstar plane switch nftables does not count beside --plane ebpf')
  })

  test('says that the one that was switched to works no more', () => {
    const choice = choosePlane([NO_EBPF, NFTABLES], { configured: 'auto', switched: 'ebpf' })
    expect(choice.kind).toBe('nftables')
    expect(choice.note).toMatch(/ebpf.*does not work: the kernel lacks cgroup_link/)
  })

  test.each([
    { configured: 'ebpf' as const, probes: [NO_EBPF, NFTABLES] },
    { configured: 'auto' as const, probes: [NO_EBPF] },
  ])('fails with the reason when $configured does not work', ({ configured, probes }) => {
    expect(() => choosePlane(probes, { configured })).toThrow(/ebpf: the kernel lacks cgroup_link/)
  })
})

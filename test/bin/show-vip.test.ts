import { expect, test } from 'vitest'
import { detailsText, percentileText } from '../../src/bin/show-vip.ts'
import type { VipDetails } from '../../src/daemon/vip-resources.ts'

const VIP: VipDetails = {
  name: 'web.marathon.l4lb.thisdcos.directory',
  ...{ protocol: 'tcp', address: '11.0.0.37:80', state: 'served' },
  options: 'algorithm=maglev',
  unsupported: ['algorithm: it knows random'],
  backends: [
    {
      ...{ address: '10.0.0.1:8080', state: 'in', why: 'it is healthy', share: 1 },
      ...{ connections: 1200, failures: 0, bytesToBackend: 1_500_000 },
      connectTimes: [0, 0, 0, 0, 0, 0, 98, 0, 0, 0, 0, 2],
    },
    {
      ...{ address: '10.0.0.2:8080', state: 'draining', why: 'its node is silent', share: 0 },
      forSeconds: 300,
    },
  ],
}

test('shows a VIP with its backends, and columns only for what is counted', () => {
  const lines = detailsText({ plane: 'ebpf', vips: [VIP] }).split('\n')
  expect(lines.slice(0, 3)).toEqual([
    'tcp 11.0.0.37:80  web.marathon.l4lb.thisdcos.directory  served by ebpf',
    '  options: algorithm=maglev',
    '  without algorithm: it knows random',
  ])
  const cells = lines.slice(3).map((line) => line.trim().split(/ {2,}/))
  expect(cells).toEqual([
    [
      'backend',
      'state',
      'share',
      'for',
      'connections',
      'failed',
      'sent',
      'connect p50',
      'p99',
      'why',
    ],
    [
      '10.0.0.1:8080',
      'in',
      '100 %',
      'long',
      '1200',
      '0',
      '1.5 MB',
      '≤ 64 µs',
      '≤ 2.05 ms',
      'it is healthy',
    ],
    ['10.0.0.2:8080', 'draining', '0 %', '5 min', '-', '-', '-', '-', '-', 'its node is silent'],
  ])
})

test('says when connections are rejected', () => {
  const vip = { ...VIP, backends: VIP.backends.slice(1) }
  const text = detailsText({ plane: 'ebpf', vips: [vip] })
  expect(text).toContain('no backend is in: connections are rejected')
})

test.each([
  [undefined, 0.5, undefined],
  [[0, 0], 0.5, undefined],
  [[1], 0.99, '≤ 1 µs'],
  [[1, 1], 0.5, '≤ 1 µs'],
  [[1, 1], 0.51, '≤ 2 µs'],
  [[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5], 0.5, '≤ 1.02 ms'],
])('the percentile of %j at %d is %s', (counts, share, text) => {
  expect(percentileText(counts, share)).toBe(text)
})

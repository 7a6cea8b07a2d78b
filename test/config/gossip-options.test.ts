import { expect, test } from 'vitest'
import { composeConfig } from '../../src/config/config.ts'

const CLUSTER = { 'cluster-id': 'blue', 'gossip-key-file': '/etc/navstar/keys.json' }
const CA = { 'gossip-ca': '/etc/navstar/ca', 'gossip-certificate': '/etc/navstar/certificate' }

function gossipOf(flags: Record<string, string>) {
  return composeConfig({ environment: {}, flags }).gossip
}

test('a cluster has a name, keys and seeds; a seed without a port has the default', () => {
  expect(gossipOf({ ...CLUSTER, 'gossip-seed': '10.0.0.1,[fd00::2]:7000' })).toMatchObject({
    clusterId: 'blue',
    keyFile: '/etc/navstar/keys.json',
    seeds: [
      { address: '10.0.0.1', port: 62_501 },
      { address: 'fd00::2', port: 7000 },
    ],
  })
})

test('a cluster may have a CA', () => {
  expect(gossipOf({ ...CLUSTER, ...CA })).toMatchObject({
    caKey: '/etc/navstar/ca',
    certificate: '/etc/navstar/certificate',
  })
})

test.each([
  ['a cluster without keys', { 'cluster-id': 'blue' }, 'cluster-id needs gossip-key-file'],
  ['keys without a cluster', { 'gossip-key-file': '/k' }, 'gossip-key-file needs cluster-id'],
  ['seeds without a cluster', { 'gossip-seed': '10.0.0.1' }, 'gossip-seed needs cluster-id'],
  ['a CA without a certificate', { ...CLUSTER, 'gossip-ca': 'x' }, 'needs gossip-certificate'],
  ['a certificate without a CA', { ...CLUSTER, 'gossip-certificate': 'x' }, 'needs gossip-ca'],
  ['a CA without a cluster', CA, 'gossip-ca needs cluster-id'],
])('%s is refused', (_name, flags, sentence) => {
  expect(() => gossipOf(flags)).toThrow(
    expect.objectContaining({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(sentence),
    }),
  )
})

test('a node of a cluster without an agent must say its own address', () => {
  const flags = { ...CLUSTER, mesos: 'none' }
  expect(() => gossipOf(flags)).toThrow('mesos none needs ip or gossip-listen with an address')
  expect(gossipOf({ ...flags, ip: '10.0.0.1' }).clusterId).toBe('blue')
  expect(gossipOf({ ...flags, 'gossip-listen': '10.0.0.1' }).clusterId).toBe('blue')
})

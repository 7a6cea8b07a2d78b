import { describe, expect, test } from 'vitest'
import { type ConfigSources, composeConfig, type DaemonConfig } from '../../src/config/config.ts'

function compose(sources: Partial<ConfigSources> = {}): DaemonConfig {
  return composeConfig({ environment: {}, flags: {}, ...sources })
}

/** The message of the refusal. */
function refusalOf(sources: Partial<ConfigSources>): string {
  try {
    compose(sources)
  } catch (error) {
    expect(error).toMatchObject({ code: 'CONFIG_INVALID' })
    return error instanceof Error ? error.message : ''
  }
  throw new Error('it was accepted')
}

describe('the configuration', () => {
  test('has these defaults', () => {
    expect(compose()).toEqual({
      logLevel: 'info',
      mesos: {
        agentUrl: 'http://127.0.0.1:5051',
        pollIntervalMs: 250,
        maxBackoffMs: 60_000,
        timeoutMs: 10_000,
        maxStateBytes: 268_435_456,
      },
      l4lb: {
        plane: 'auto',
        pinDirectory: '/sys/fs/bpf/navstar',
        ranges: [
          { base: '11.0.0.0', prefixLength: 8 },
          { base: 'fd01:c::', prefixLength: 64 },
        ],
        addressCoolDownMs: 600_000,
        addressDrainMs: 60_000,
      },
      dns: {
        listen: ['198.51.100.1:53'],
        zone: 'l4lb.thisdcos.directory',
        ttlSeconds: 5,
        upstreams: [],
        resolvConfPath: '/etc/resolv.conf',
      },
      gossip: {
        listen: { port: 62501 },
        seeds: [],
        stateDirectory: '/var/lib/navstar',
        datagramBytes: 1400,
      },
      admin: { listen: '127.0.0.1:62080' },
    })
  })

  test('takes a flag before the environment, and that before the file', () => {
    const file = { plane: 'ebpf', 'log-level': 'warn', 'admin-listen': '127.0.0.1:1' }
    const environment = { NAVSTAR_LOG_LEVEL: 'debug', NAVSTAR_ADMIN_LISTEN: '127.0.0.1:2' }
    const flags = { 'admin-listen': '127.0.0.1:3' }
    const { l4lb, logLevel, admin } = compose({ file, environment, flags })
    expect([l4lb.plane, logLevel, admin.listen]).toEqual(['ebpf', 'debug', '127.0.0.1:3'])
  })

  test.each([
    ['ip', '10.0.0.7', { nodeIp: '10.0.0.7', mesos: { agentIp: '10.0.0.7' } }],
    ['mesos', 'https://agent:5051', { mesos: { agentUrl: 'https://agent:5051' } }],
    ['mesos', 'none', { mesos: { agentUrl: undefined } }],
    ['masters', '/etc/master_list', { mesos: { masters: { kind: 'file' } } }],
    [
      'masters',
      'zk://bob:x@a,b:2182/mesos',
      {
        mesos: {
          masters: {
            servers: [
              { host: 'a', port: 2181 },
              { host: 'b', port: 2182 },
            ],
            digest: 'bob:x',
          },
        },
      },
    ],
    [
      'mesos-credential',
      'bob:a:b',
      { mesos: { credential: { kind: 'basic', user: 'bob', password: 'a:b' } } },
    ],
    ['mesos-token', 'abc', { mesos: { credential: { kind: 'bearer', token: 'abc' } } }],
    ['mesos-token', 'dcos:abc', { mesos: { credential: { kind: 'dcos', token: 'abc' } } }],
    ['mesos-poll-interval-ms', '10', { mesos: { pollIntervalMs: 10 } }],
    ['mesos-max-state-bytes', '2147483648', { mesos: { maxStateBytes: 2_147_483_648 } }],
    ['plane', 'nftables', { l4lb: { plane: 'nftables' } }],
    ['cgroup', '/sys/fs/cgroup/x', { l4lb: { cgroup: '/sys/fs/cgroup/x' } }],
    ['pin-directory', '/sys/fs/bpf/x', { l4lb: { pinDirectory: '/sys/fs/bpf/x' } }],
    ['vip-range', '10.9.1.1/16', { l4lb: { ranges: [{ base: '10.9.0.0', prefixLength: 16 }] } }],
    ['vip-range', 'none', { l4lb: { ranges: [] } }],
    ['dns-listen', 'none', { dns: { listen: [] } }],
    ['dns-listen', '127.0.0.1:0, [::1]:53', { dns: { listen: ['127.0.0.1:0', '[::1]:53'] } }],
    [
      'dns-upstream',
      '10.0.0.2,[fd00::2]:5353',
      { dns: { upstreams: ['10.0.0.2', '[fd00::2]:5353'] } },
    ],
    ['log-level', 'debug', { logLevel: 'debug' }],
    ['gossip-listen', ':7000', { gossip: { listen: { port: 7000 } } }],
    ['gossip-listen', '10.0.0.1', { gossip: { listen: { address: '10.0.0.1', port: 62_501 } } }],
    ['gossip-listen', '[::]:0', { gossip: { listen: { address: '::', port: 0 } } }],
    ['state-directory', '/srv/navstar', { gossip: { stateDirectory: '/srv/navstar' } }],
    ['gossip-datagram-bytes', '8900', { gossip: { datagramBytes: 8900 } }],
  ])('--%s %s is taken, from a flag, the environment and the file', (name, text, expected) => {
    expect(compose({ flags: { [name]: text } })).toMatchObject(expected)
    expect(compose({ file: { [name]: text } })).toMatchObject(expected)
    const variable = `NAVSTAR_${name.toUpperCase().replaceAll('-', '_')}`
    expect(compose({ environment: { [variable]: text } })).toMatchObject(expected)
  })

  test('takes numbers and lists of the file as JSON has them', () => {
    const file = { 'mesos-poll-interval-ms': 500, 'vip-range': ['10.9.0.0/16', 'fd09::/64'] }
    const { mesos, l4lb } = compose({ file })
    expect([mesos.pollIntervalMs, l4lb.ranges.length]).toEqual([500, 2])
  })

  test.each([
    ['ip', 'agent'],
    ['ip', '10.0.0.1/8'],
    ['mesos', 'agent:5051'],
    ['mesos', 'ftp://agent'],
    ['masters', ''],
    ['masters', 'zk://a:2181'],
    ['masters', 'http://a:5050,b:5050'],
    ['mesos-credential', 'nobody'],
    ['mesos-credential', ':secret'],
    ['mesos-token', ''],
    ['mesos-poll-interval-ms', '9'],
    ['mesos-poll-interval-ms', '1e3'],
    ['mesos-poll-interval-ms', '60001'],
    ['mesos-max-state-bytes', '-1'],
    ['plane', 'xdp'],
    ['plane', 'EBPF'],
    ['cgroup', ''],
    ['pin-directory', ''],
    ['vip-range', '11.0.0.0'],
    ['vip-range', '11.0.0.0/33'],
    ['vip-range', '11.0.0.0/8,12.0.0.0/8'],
    ['dns-listen', 'localhost:53'],
    ['dns-listen', '127.0.0.1:53,x'],
    ['dns-upstream', '10.0.0.2:99999'],
    ['admin-listen', '127.0.0.1'],
    ['admin-listen', '0:80'],
    ['log-level', 'loud'],
    ['cluster-id', ''],
    ['cluster-id', 'two words'],
    ['gossip-key-file', ''],
    ['gossip-listen', ':65536'],
    ['gossip-listen', 'node1:62501'],
    ['gossip-seed', 'node1:62501'],
    ['gossip-seed', '10.0.0.1:1,x'],
    ['gossip-datagram-bytes', '100'],
    ['state-directory', ''],
  ])('--%s %j is refused', (name, text) => {
    expect(refusalOf({ flags: { [name]: text } })).toContain(`flag: ${name}`)
  })

  test('tells all problems at once, each with its source', () => {
    const message = refusalOf({
      file: { plane: 'xdp', colour: 'red' },
      environment: { NAVSTAR_LOG_LEVEL: 'loud', NAVSTAR_COLOUR: 'red', PATH: '/bin' },
      flags: { ip: 'here' },
    })
    for (const part of [
      "file: unknown key 'colour'",
      "file: plane 'xdp'",
      'environment: unknown NAVSTAR_COLOUR',
      "environment: log-level 'loud'",
      "flag: ip 'here'",
    ]) {
      expect(message).toContain(part)
    }
    expect(message).not.toContain('PATH')
  })

  test.each([[[]], ['plane'], [7], [null]])('%j is no file', (file) => {
    expect(refusalOf({ file })).toContain('file: expected a JSON object')
  })

  test.each([[null], [{}], [true], [[{}]], [[['11.0.0.0/8']]]])(
    'a value of %j in the file is refused',
    (value) => {
      expect(refusalOf({ file: { cgroup: value } })).toContain('file: cgroup')
    },
  )

  test('keeps secrets out of its refusals', () => {
    expect(refusalOf({ flags: { masters: 'zk://bob:hunter2@a' } })).not.toContain('hunter2')
    expect(refusalOf({ flags: { 'mesos-credential': 'hunter2' } })).not.toContain('hunter2')
  })

  test('is frozen to the last field', () => {
    const isFrozen = (value: unknown): boolean =>
      typeof value !== 'object' ||
      value === null ||
      (Object.isFrozen(value) && Object.values(value).every(isFrozen))
    expect(isFrozen(compose())).toBe(true)
    expect(isFrozen(compose({ flags: { 'vip-range': '10.9.0.0/16', 'mesos-token': 'x' } }))).toBe(
      true,
    )
  })
})

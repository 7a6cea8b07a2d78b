import { describe, expect, test } from 'vitest'
import { masterOfUrl, masterUrl } from '../../../src/mesos/master/master-address.ts'
import { describeMasters, parseMasters } from '../../../src/mesos/master/masters.ts'
import { toPort } from '../../../src/model/port.ts'

const zookeeper = (host: string, port = 2181) => ({ host, port })
const master = (address: string, port = 5050, isTls = false) => ({ address, port, isTls })

describe('parseMasters', () => {
  test.each([
    [
      'zk://a:2181,10.0.0.2,[fd01::3]:2182/mesos',
      {
        kind: 'zookeeper',
        servers: [zookeeper('a'), zookeeper('10.0.0.2'), zookeeper('fd01::3', 2182)],
        path: '/mesos',
      },
    ],
    [
      'zk://bob:p@ss:w/rd@a:2181/dcos/mesos/',
      {
        kind: 'zookeeper',
        servers: [zookeeper('a')],
        path: '/dcos/mesos',
        digest: 'bob:p@ss:w/rd',
      },
    ],
    [
      'http://a:5050, https://10.0.0.2,http://[fd01::3]:80/',
      {
        kind: 'addresses',
        masters: [master('a'), master('10.0.0.2', 5050, true), master('fd01::3', 80)],
      },
    ],
    [
      'http://a:8181/exhibitor/v1/cluster/list',
      { kind: 'exhibitor', url: 'http://a:8181/exhibitor/v1/cluster/list', path: '/mesos' },
    ],
    [
      'https://a/exhibitor/v1/cluster/list#/other',
      { kind: 'exhibitor', url: 'https://a/exhibitor/v1/cluster/list', path: '/other' },
    ],
    ['/opt/mesosphere/etc/master_list', { kind: 'file', path: '/opt/mesosphere/etc/master_list' }],
    ['file:///etc/masters', { kind: 'file', path: '/etc/masters' }],
  ])('%s is taken', (text, masters) => {
    expect(parseMasters(text)).toEqual({ kind: 'masters', masters })
  })

  test.each([
    ['', 'expected zk://'],
    ['a:5050', 'expected zk://'],
    ['ftp://a', 'expected zk://'],
    ['file://relative', 'expected zk://'],
    ['/etc/', 'expected zk://'],
    ['zk://a:2181', 'a path after the servers'],
    ['zk://a:2181/', 'a path after the servers'],
    ['zk:///mesos', 'server 1 of ZooKeeper'],
    ['zk://a:2181,,b/mesos', 'server 2 of ZooKeeper'],
    ['zk://a:99999/mesos', 'server 1 of ZooKeeper'],
    ['zk://10.0.0.256/mesos', 'server 1 of ZooKeeper'],
    ['zk://a//mesos', 'no path of ZooKeeper'],
    ['zk://a/../mesos', 'no path of ZooKeeper'],
    ['zk://bob@a:2181/mesos', 'expected user:password'],
    ['http://', 'master 1 is no'],
    ['http://a:5050,b:5050', 'master 2 is no'],
    ['http://a:5050/api/v1', 'master 1 is no'],
    ['http://u:p@a:5050', 'master 1 is no'],
    ['http://u:p@a/exhibitor/v1/cluster/list', 'no credentials'],
  ])('%j is refused', (text, problem) => {
    expect(parseMasters(text)).toEqual({
      kind: 'problem',
      problem: expect.stringContaining(problem),
    })
  })

  test.each(['zk://bob:hunter2@a:99999/mesos', 'zk://bob:hunter2/mesos', 'http://bob:hunter2@a'])(
    'keeps the password out of the problem of %s',
    (text) => {
      expect(JSON.stringify(parseMasters(text))).not.toContain('hunter2')
    },
  )

  test.each([
    ['zk://bob:hunter2@a,[fd01::1]:1/mesos', 'zk://a:2181,[fd01::1]:1/mesos'],
    ['http://a,https://[fd01::1]', 'http://a:5050,https://[fd01::1]:5050'],
    ['/etc/master_list', '/etc/master_list'],
    ['http://a/exhibitor/v1/cluster/list', 'http://a/exhibitor/v1/cluster/list#/mesos'],
  ])('%s is shown without its password', (text, shown) => {
    const parsed = parseMasters(text)
    expect(parsed.kind === 'masters' && describeMasters(parsed.masters)).toBe(shown)
  })
})

test.each([
  ['http://10.0.0.1:5050/api/v1', '10.0.0.1', 5050, false],
  ['https://[fd01::1]:5051/api/v1', 'fd01::1', 5051, true],
  ['http://master-1/api/v1', 'master-1', 80, false],
])('%s is an address of a master and back', (href, ...[address, number, isTls]) => {
  const port = toPort(number)
  expect(masterOfUrl(new URL(href))).toEqual({ address, port, isTls })
  expect(port && masterUrl({ address, port, isTls }, '/api/v1').href).toBe(href)
})

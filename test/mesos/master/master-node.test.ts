import { Writer } from 'protobufjs'
import { describe, expect, test } from 'vitest'
import {
  addressOfNode,
  type MasterNode,
  masterNodes,
} from '../../../src/mesos/master/master-node.ts'

const node: MasterNode = { name: 'json.info_0000000001', format: 'json', sequence: 1 }

function addressIn(content: unknown, isTls = false) {
  const text = typeof content === 'string' ? content : JSON.stringify(content)
  return addressOfNode({ node, bytes: Buffer.from(text), isTls })
}

test('the lowest number leads, whatever the format; other children are no masters', () => {
  const names = [
    'json.info_0000000012',
    'log_replicas',
    'info_0000000011',
    'json.info_0000000100',
    '0000000001',
    'json.info_1',
    'json.info_-2147483648',
    'json.information_0000000000',
  ]
  expect(masterNodes(names).map(({ name, format }) => [name, format])).toEqual([
    ['json.info_-2147483648', 'json'],
    ['info_0000000011', 'protobuf'],
    ['json.info_0000000012', 'json'],
    ['json.info_0000000100', 'json'],
  ])
})

describe('the address of a master', () => {
  test.each<[string, object, [string, number]]>([
    ['address.ip', { address: { hostname: 'm1', ip: '10.1.1.9', port: 5051 } }, ['10.1.1.9', 5051]],
    ['the number', { ip: 151060746, port: 5050, hostname: 'm1' }, ['10.1.1.9', 5050]],
    ['a number of high bytes', { ip: 4278124286, port: 5050 }, ['254.254.254.254', 5050]],
    ['the pid', { pid: 'master@10.1.1.9:5055', hostname: 'm1' }, ['10.1.1.9', 5055]],
    ['an IPv6 pid', { pid: 'master@[fd01::1]:5055' }, ['fd01::1', 5055]],
    ['the host name', { hostname: 'm1.example', port: 7 }, ['m1.example', 7]],
    [
      'the host name of the address, as the address is a wildcard',
      { address: { hostname: 'm1', ip: '0.0.0.0', port: 5050 }, ip: 0 },
      ['m1', 5050],
    ],
    ['the default port', { address: { ip: '10.1.1.9' } }, ['10.1.1.9', 5050]],
    ['an IPv6 address', { address: { ip: 'FD01::1', port: 1 } }, ['fd01::1', 1]],
  ])('comes from %s', (_from, content, [address, port]) => {
    expect(addressIn(content)).toEqual({ address, port, isTls: false })
  })

  test('is as a real master wrote it', () => {
    const real = {
      address: { hostname: 'master.example', ip: '10.1.1.9', port: 5050 },
      capabilities: [{ type: 'AGENT_UPDATE' }],
      hostname: 'master.example',
      id: '3a1b2c',
      ip: 151060746,
      pid: 'master@10.1.1.9:5050',
      port: 5050,
      version: '1.11.0',
    }
    expect(addressIn(real, true)).toEqual({ address: '10.1.1.9', port: 5050, isTls: true })
  })

  test.each([
    ['nothing', ''],
    ['no JSON', 'master@10.0.0.1:5050'],
    ['cut JSON', '{"address":{"ip":"10.'],
    ['a list', []],
    ['no address', { id: 'x' }],
    ['an address of the wrong type', { address: '10.0.0.1' }],
    ['a port that is none', { address: { ip: '10.0.0.1', port: 70_000 } }],
    ['a port of the wrong type', { address: { ip: '10.0.0.1', port: '5050' } }],
    ['a host name that leads elsewhere', { hostname: 'a/b@c' }],
    ['the wildcard alone', { address: { ip: '0.0.0.0', port: 5050 } }],
  ])('is refused in %s', (_what, content) => {
    expect(() => addressIn(content)).toThrow(expect.objectContaining({ code: 'MASTER_INVALID' }))
  })

  test('is refused in bytes that are no UTF-8', () => {
    const bytes = Buffer.from([0x7b, 0xff, 0x7d])
    expect(() => addressOfNode({ node, bytes, isTls: false })).toThrow('json.info_0000000001')
  })

  const old: MasterNode = { name: 'info_0000000001', format: 'protobuf', sequence: 1 }

  test('of an old master comes from protobuf', () => {
    const address = Writer.create().uint32(10).string('m1').uint32(18).string('10.1.1.8')
    const nested = address.uint32(24).int32(5051).finish()
    const flat = Writer.create().uint32(10).string('id').uint32(16).uint32(151060746)
    const bytes = flat.uint32(24).uint32(5055).uint32(42).string('m1').finish()
    expect(addressOfNode({ node: old, bytes, isTls: false })).toMatchObject({
      address: '10.1.1.9',
      port: 5055,
    })
    const newer = Buffer.concat([bytes, Writer.create().uint32(58).bytes(nested).finish()])
    expect(addressOfNode({ node: old, bytes: newer, isTls: false })).toMatchObject({
      address: '10.1.1.8',
      port: 5051,
    })
  })

  test.each(['', '7b7d', '0affffff'])('of an old master is refused in the bytes %s', (hex) => {
    expect(() =>
      addressOfNode({ node: old, bytes: Buffer.from(hex, 'hex'), isTls: false }),
    ).toThrow(expect.objectContaining({ code: 'MASTER_INVALID' }))
  })
})

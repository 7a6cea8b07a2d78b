/** Backend records and tasks for tests. */
import { type BackendRecord, backendRecordKeyOf } from '../../src/model/backend-record.ts'
import { type Ip, parseIp } from '../../src/model/ip.ts'
import { mangleName } from '../../src/model/name.ts'
import { type NodeId, parseNodeId } from '../../src/model/node-id.ts'
import { type Port, toPort } from '../../src/model/port.ts'
import { type Task, type TaskKey, taskKeyOf } from '../../src/model/task.ts'
import type { Vip } from '../../src/model/vip.ts'

/** The address with this text. */
export function ip(text: string): Ip {
  const address = parseIp(text)
  if (address === undefined) throw new Error(`no address: ${text}`)
  return address
}

/** The port with this number. */
export function port(number: number): Port {
  const found = toPort(number)
  if (found === undefined) throw new Error(`no port: ${number}`)
  return found
}

/** The id of node 1, 2, … */
export function nodeId(number: number): NodeId {
  const found = parseNodeId(number.toString(16).padStart(32, '0'))
  if (found === undefined) throw new Error(`no node id: ${number}`)
  return found
}

/** A named VIP, or with an address in place of the label an address VIP. */
export function vip(label: string, framework = 'marathon'): Vip {
  const address = parseIp(label)
  if (address !== undefined) return { kind: 'address', address }
  const mangled = mangleName(label)
  const name = `${mangled}.${mangleName(framework)}`
  return { kind: 'named', label: mangled, rawLabel: label, framework, name }
}

/** A record of `/web` on port 80, tcp, at 10.0.0.1:8080 with weight 1, unless told otherwise. */
export function record(parts: Partial<Omit<BackendRecord, 'key'>> = {}): BackendRecord {
  const whole = {
    vip: vip('/web'),
    vipPort: port(80),
    protocol: 'tcp' as const,
    address: ip('10.0.0.1'),
    port: port(8080),
    weight: 1,
    nodeIp: ip('10.0.0.1'),
    taskKey: taskKeyOf('f', 't') as TaskKey,
    ...parts,
  }
  return { key: backendRecordKeyOf(whole), ...whole }
}

/** A running, healthy task of 10.0.0.1 on the host network without ports, unless told otherwise. */
export function task(parts: Partial<Task> = {}): Task {
  const { id = 'web.1', frameworkId = 'f' } = parts
  return {
    key: taskKeyOf(frameworkId, id),
    id,
    frameworkId,
    frameworkName: 'marathon',
    name: 'web',
    phase: 'running',
    health: 'healthy',
    runtime: 'mesos',
    agentIp: ip('10.0.0.1'),
    addresses: [ip('10.0.0.1')],
    ports: [],
    ...parts,
  }
}

/**
 * The ports of a task: container port mappings, VIPs on task labels (the way of DC/OS 1.7) and
 * discovery ports, merged. The grammar of the labels, oddities included, is that of dcos-net.
 *
 * **Source:** dcos-net `dcos_net_mesos_listener.erl` (handle_task_ports and below)
 */
import { type Protocol, parseProtocol, toPort } from '../../model/port.ts'
import type { TaskPort } from '../../model/task.ts'
import {
  FieldError,
  type JsonObject,
  listAt,
  numberAt,
  objectAt,
  objectsAt,
  textAt,
  toObject,
} from './json-fields.ts'
import { legacyVipPorts } from './legacy-vips.ts'
import { mergePorts } from './merge-ports.ts'
import { quote, type SkipPart } from './skipped.ts'
import { type TextLabel, vipsOf } from './vip-labels.ts'

/** A `network-scope` label that cannot be understood: it voids all ports of its task. */
class ScopeError extends Error {}

/** What the ports of a task are read from. */
export interface PortSource {
  readonly task: JsonObject
  /** The networks that the task's status names. */
  readonly networks: readonly JsonObject[]
}

/** The merged ports of a task. What is malformed is skipped; never throws. */
export function portsOf({ task, networks }: PortSource, skip: SkipPart): readonly TaskPort[] {
  try {
    return mergePorts([
      ...mappedPorts(mappingsOf(task, networks), skip),
      ...legacyVipPorts(task, skip),
      ...discoveryPorts(listAt(task, ['discovery', 'ports', 'ports']), skip),
    ])
  } catch (error) {
    if (error instanceof ScopeError) skip('network_scope', error.message)
    else if (error instanceof FieldError) skip('ports_malformed', error.message)
    else throw error
    return []
  }
}

/** Port mappings where the runtime keeps them; pods (and host tasks) have them in the status. */
function mappingsOf(task: JsonObject, networks: readonly JsonObject[]): readonly unknown[] {
  if (textAt(task, ['container', 'type']) === 'DOCKER') {
    return listAt(task, ['container', 'docker', 'port_mappings'])
  }
  const own = objectsAt(task, ['container', 'network_infos'])
  return (own.length > 0 ? own : networks).flatMap((network) => listAt(network, ['port_mappings']))
}

function mappedPorts(mappings: readonly unknown[], skip: SkipPart): readonly TaskPort[] {
  const subject = 'port mapping'
  const parse = (mapping: JsonObject): TaskPort | undefined => {
    const port = toPort(numberAt(mapping, ['container_port']))
    const hostPort = toPort(numberAt(mapping, ['host_port']))
    const protocol = protocolOf(mapping, subject, skip)
    if (protocol === undefined) return undefined
    if (port === undefined && hostPort === undefined) {
      skip('port_number', `${subject}: ${quote(mapping['container_port'])}`)
      return undefined
    }
    return {
      protocol,
      ...(port === undefined ? {} : { port }),
      ...(hostPort === undefined ? {} : { hostPort }),
      vips: [],
    }
  }
  return eachGuarded(mappings, { subject, parse }, skip)
}

function discoveryPorts(ports: readonly unknown[], skip: SkipPart): readonly TaskPort[] {
  const parse = (entry: JsonObject): TaskPort | undefined => {
    const number = numberAt(entry, ['number'])
    const labels = labelsOf(entry)
    const scope = scopeOf(labels)
    // Marathon writes 0 for a port mapping without a port.
    if (number === 0) return undefined
    const name = textAt(entry, ['name'])
    const subject = `discovery port ${quote(name ?? number)}`
    const protocol = protocolOf(entry, subject, skip)
    const port = toPort(number)
    if (port === undefined) skip('port_number', `${subject}: ${quote(number)}`)
    if (protocol === undefined || port === undefined) return undefined
    return {
      protocol,
      ...(scope === 'host' ? { hostPort: port } : { port }),
      ...(name === undefined ? {} : { name }),
      ...vipsOf(textLabels(labels, subject, skip)),
    }
  }
  return eachGuarded(ports, { subject: 'discovery port', parse }, skip)
}

/** Labels of v1 (`{labels: [...]}`); a port without them has none. */
function labelsOf(entry: JsonObject): readonly JsonObject[] {
  const labels = objectAt(entry, ['labels'])
  return labels === undefined ? [] : objectsAt(labels, ['labels'])
}

function scopeOf(labels: readonly JsonObject[]): 'host' | 'container' {
  const scopes = labels.filter((label) => label['key'] === 'network-scope')
  if (scopes.length === 0) return 'container'
  const value = scopes[0]?.['value']
  if (scopes.length === 1 && (value === 'host' || value === 'container')) return value
  const found = scopes.map((label) => quote(label['value'])).slice(0, 5)
  throw new ScopeError(`network-scope ${found.join(' and ')} is neither host nor container`)
}

/** Labels whose key begins with exactly `VIP` or `vip`; `Vip_0` is none. */
function textLabels(
  labels: readonly JsonObject[],
  subject: string,
  skip: SkipPart,
): readonly TextLabel[] {
  const found: TextLabel[] = []
  for (const { key, value } of labels) {
    if (typeof key !== 'string' || !(key.startsWith('VIP') || key.startsWith('vip'))) continue
    if (typeof value === 'string') found.push({ key, value })
    else skip('label_value', `${subject}: label ${quote(key)} has the value ${quote(value)}`)
  }
  return found
}

function protocolOf(entry: JsonObject, subject: string, skip: SkipPart): Protocol | undefined {
  const text = textAt(entry, ['protocol'])
  const protocol = text === undefined ? undefined : parseProtocol(text)
  if (protocol === undefined) skip('protocol', `${subject}: protocol ${quote(text)}`)
  return protocol
}

/** A kind of port entry. */
interface EntryKind {
  readonly subject: string
  readonly parse: (entry: JsonObject) => TaskPort | undefined
}

/** Parses each entry in a guard of its own. */
function eachGuarded(
  entries: readonly unknown[],
  { subject, parse }: EntryKind,
  skip: SkipPart,
): readonly TaskPort[] {
  return entries.flatMap((entry) => {
    try {
      return parse(toObject(entry, subject)) ?? []
    } catch (error) {
      if (!(error instanceof FieldError)) throw error
      skip('port_malformed', `${subject}: ${error.message}`)
      return []
    }
  })
}

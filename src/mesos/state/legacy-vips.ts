import { toPort } from '../../model/port.ts'
import type { TaskPort } from '../../model/task.ts'
import { type JsonObject, numberAt, objectsAt, textAt } from './json-fields.ts'
import { quote, type SkipPart } from './skipped.ts'

const KEY = /^vip_port(\d{1,9})$/i
const VALUE = /^(tcp|udp):\/\/(.*)$/s

interface PortRange {
  readonly begin: number
  readonly end: number
}

/**
 * VIPs in the way of DC/OS 1.7: the task label `VIP_PORT0: tcp://1.2.3.4:5000` belongs to the
 * first of the task's ports, counted over its expanded `ports` resources. Labels of another form
 * are nobody's VIP and ignored; an index beyond the ports is skipped.
 *
 * **Source:** dcos-net `dcos_net_mesos_listener.erl` (handle_task_port_resources)
 *
 * @throws FieldError when labels or resources are malformed
 */
export function legacyVipPorts(task: JsonObject, skip: SkipPart): readonly TaskPort[] {
  return objectsAt(task, ['labels', 'labels']).flatMap(({ key, value }) => {
    const [, digits] = typeof key === 'string' ? (KEY.exec(key) ?? []) : []
    const [, scheme, vip] = typeof value === 'string' ? (VALUE.exec(value) ?? []) : []
    if (digits === undefined || vip === undefined) return []
    const hostPort = toPort(nthPort(portRanges(task), Number(digits)))
    if (hostPort === undefined) {
      skip('label_index', `task label ${quote(key)} is beyond the task’s ports`)
      return []
    }
    return [{ protocol: scheme === 'udp' ? 'udp' : 'tcp', hostPort, vips: [vip] }]
  })
}

function portRanges(task: JsonObject): readonly PortRange[] {
  return objectsAt(task, ['resources']).flatMap((resource) => {
    if (textAt(resource, ['name']) !== 'ports') return []
    const scalar = numberAt(resource, ['scalar', 'value'])
    if (scalar !== undefined) return [{ begin: scalar, end: scalar }]
    return objectsAt(resource, ['ranges', 'range']).map((range) => ({
      begin: numberAt(range, ['begin']) ?? 0,
      end: numberAt(range, ['end']) ?? -1,
    }))
  })
}

/** The n-th number of the ranges, counted without expanding them: they may be absurdly wide. */
function nthPort(ranges: readonly PortRange[], index: number): number | undefined {
  let left = index
  for (const { begin, end } of ranges) {
    const size = Math.max(0, end - begin + 1)
    if (left < size) return begin + left
    left -= size
  }
  return undefined
}

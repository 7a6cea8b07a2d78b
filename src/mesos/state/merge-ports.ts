import type { Protocol } from '../../model/port.ts'
import type { TaskPort, VipOptionLabel } from '../../model/task.ts'

/**
 * Merges what several sources say about a task's ports. Entries of one protocol are the same
 * port when their `port` or their `hostPort` is equal, also through a third entry. Where such
 * entries contradict each other the lowest number (and first name) stands, so that the result
 * depends on the set of entries only; VIPs are united.
 *
 * **Source:** dcos-net `dcos_net_mesos_listener.erl` (merge_task_ports), made order-independent
 */
export function mergePorts(entries: readonly TaskPort[]): readonly TaskPort[] {
  const groups = new Map<number, TaskPort[]>()
  for (const [index, root] of rootsOf(entries).entries()) {
    const entry = entries[index]
    if (entry === undefined) continue
    const group = groups.get(root)
    if (group === undefined) groups.set(root, [entry])
    else group.push(entry)
  }
  return [...groups.values()].map(unite).sort(comparePorts)
}

/**
 * On the agent's own network a host port is where the process listens: it becomes the port.
 *
 * **Source:** dcos-net `dcos_net_mesos_listener.erl` (merge_host_ports)
 */
export function collapseHostPorts(entries: readonly TaskPort[]): readonly TaskPort[] {
  return mergePorts(entries.map(({ hostPort, ...entry }) => withPort(entry, hostPort)))
}

function withPort(entry: TaskPort, port: TaskPort['port']): TaskPort {
  return port === undefined ? entry : { ...entry, port }
}

/** For each entry the index of the first entry of its group (union-find). */
function rootsOf(entries: readonly TaskPort[]): readonly number[] {
  const parents = entries.map((_, index) => index)
  const find = (start: number): number => {
    let index = start
    for (let up = parents[index] ?? index; up !== index; up = parents[index] ?? index) {
      parents[index] = parents[up] ?? up
      index = up
    }
    return index
  }
  const owners = new Map<string, number>()
  entries.forEach((entry, index) => {
    for (const key of identitiesOf(entry)) {
      const owner = owners.get(key)
      if (owner === undefined) owners.set(key, index)
      else parents[find(index)] = find(owner)
    }
  })
  return parents.map((_, index) => find(index))
}

function identitiesOf({ protocol, port, hostPort }: TaskPort): readonly string[] {
  const identities: string[] = []
  if (port !== undefined) identities.push(`${protocol} port ${port}`)
  if (hostPort !== undefined) identities.push(`${protocol} host ${hostPort}`)
  return identities
}

function unite(group: readonly TaskPort[]): TaskPort {
  const protocol: Protocol = group[0]?.protocol ?? 'tcp'
  const port = lowest(group.map((entry) => entry.port))
  const hostPort = lowest(group.map((entry) => entry.hostPort))
  const name = lowest(group.map((entry) => entry.name))
  const vips = [...new Set(group.flatMap((entry) => entry.vips))].sort()
  const vipOptions = distinct(group.flatMap((entry) => entry.vipOptions ?? []))
  return {
    protocol,
    ...(port === undefined ? {} : { port }),
    ...(hostPort === undefined ? {} : { hostPort }),
    ...(name === undefined ? {} : { name }),
    vips,
    ...(vipOptions.length === 0 ? {} : { vipOptions }),
  }
}

function distinct(labels: readonly VipOptionLabel[]): readonly VipOptionLabel[] {
  const byText = new Map(labels.map((label) => [JSON.stringify(label), label] as const))
  return [...byText.keys()].sort().flatMap((text) => byText.get(text) ?? [])
}

function lowest<T extends number | string>(values: readonly (T | undefined)[]): T | undefined {
  let least: T | undefined
  for (const value of values) {
    if (value !== undefined && (least === undefined || value < least)) least = value
  }
  return least
}

function comparePorts(left: TaskPort, right: TaskPort): number {
  if (left.protocol !== right.protocol) return left.protocol < right.protocol ? -1 : 1
  const byPort = (left.port ?? 0) - (right.port ?? 0)
  return byPort === 0 ? (left.hostPort ?? 0) - (right.hostPort ?? 0) : byPort
}

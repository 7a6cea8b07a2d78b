/** Where a demo keeps its kernel objects and files; everything carries its id. */
import { join } from 'node:path'

/** The names of one demo. */
export interface DemoPlaces {
  readonly id: string
  /** Pid of the demo, sockets and scripts; its presence says that a demo may have left something. */
  readonly stateDirectory: string
  /** What the names of all its namespaces start with. */
  readonly namespacePrefix: string
  /** Namespace of the network between the hosts. */
  readonly fabric: string
  readonly cgroup: string
  readonly pinDirectory: string
  host(name: string): HostPlaces
}

/** The names of one host of a demo. */
export interface HostPlaces {
  readonly name: string
  readonly namespace: string
  readonly namespacePath: string
  readonly cgroup: string
  readonly pinDirectory: string
  /** Enters the host: `SCRIPT COMMAND…` runs as a process of the host. */
  readonly script: string
  container(index: number): string
}

/** Where all demos keep their state. */
export const STATE_ROOT = '/run/navstar-demo'

/** The prefix of all namespaces of demos. */
const NAMESPACE_PREFIX = 'nsd-'

/** The names of a demo. @param cgroupRoot where cgroup2 is mounted */
export function demoPlaces(id: string, cgroupRoot: string): DemoPlaces {
  const stateDirectory = join(STATE_ROOT, id)
  const cgroup = join(cgroupRoot, `navstar-demo-${id}`)
  const pinDirectory = `/sys/fs/bpf/navstar-demo-${id}`
  return {
    id,
    stateDirectory,
    namespacePrefix: `${NAMESPACE_PREFIX}${id}-`,
    cgroup,
    pinDirectory,
    fabric: `${NAMESPACE_PREFIX}${id}-fabric`,
    host: (name) => ({
      name,
      namespace: `${NAMESPACE_PREFIX}${id}-${name}`,
      namespacePath: `/run/netns/${NAMESPACE_PREFIX}${id}-${name}`,
      cgroup: join(cgroup, name),
      pinDirectory: join(pinDirectory, name),
      script: join(stateDirectory, name),
      container: (index) => `${NAMESPACE_PREFIX}${id}-${name}-c${index}`,
    }),
  }
}

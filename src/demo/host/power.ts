import { rm } from 'node:fs/promises'
import { openNamespace } from '../../kernel/namespace.ts'
import { setPort } from '../network/fabric.ts'
import type { DemoPlaces, HostPlaces } from '../places/places.ts'
import { endProcesses } from '../places/processes.ts'

/**
 * Takes a host's power. Its port goes down first, so that no kernel says goodbye for the processes
 * that end next; then goes what a kernel forgets without power. What is on its disk stays.
 */
export async function switchOff(demo: DemoPlaces, host: HostPlaces): Promise<void> {
  await setPort(demo, host.name, 'down')
  await endProcesses(host.cgroup)
  await rm(host.pinDirectory, { recursive: true, force: true })
  const namespace = await openNamespace(host.namespacePath)
  await namespace.nftables.transaction([{ kind: 'deleteTable', table: 'navstar' }]) // if any
  namespace.close()
}

/** Gives a host power again; what ran there is to be started by the caller. */
export async function switchOn(demo: DemoPlaces, host: HostPlaces): Promise<void> {
  await setPort(demo, host.name, 'up')
}

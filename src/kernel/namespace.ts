/** A network namespace through one native thread: routes, nf_tables, IPVS, tracked connections, settings. */
import { NavstarError } from '../base/error.ts'
import type { Conntrack, ConntrackEntry } from './conntrack.ts'
import type { Ipvs } from './ipvs.ts'
import { NamespaceIpvs } from './ipvs-namespace.ts'
import { type NativeAddon, nativeAddon } from './native.ts'
import type { Nftables, NftTable } from './nftables.ts'
import { type KernelEvent, readFailure } from './operation.ts'
import type { LinkAddress, RouteTables } from './routes.ts'
import type { Sysctls } from './sysctls.ts'

/** An open namespace. */
export interface Namespace {
  readonly nftables: Nftables
  readonly routes: RouteTables
  readonly ipvs: Ipvs
  readonly conntrack: Conntrack
  readonly sysctls: Sysctls
  /** Calls back for changes by others to the table `navstar`, and for changes of links, addresses, routes. */
  watch(listener: (event: KernelEvent) => void): void
  close(): void
}

/** Opens a namespace by path, e.g. `/run/netns/blue`; default: the process' own. */
export async function openNamespace(path?: string): Promise<Namespace> {
  const native = await nativeAddon().NetworkNamespace.open(path)
  const watches: { close(): void }[] = []
  return {
    nftables: {
      generation: () => read('the generation of nf_tables', () => native.nftGeneration()),
      table: (name) =>
        read(
          `table ${name}`,
          async () => ((await native.nftTable(name)) as NftTable | null) ?? undefined,
        ),
      elements: ({ table, set, keyLength, valueLength }) =>
        read(`elements of ${table} ${set}`, () =>
          native.nftElements(table, set, keyLength, valueLength),
        ),
      transaction: (operations) => native.nftTransaction([...operations]),
    },
    routes: {
      links: () => read('links', () => native.links()),
      addresses: () => read('addresses', async () => (await native.addresses()) as LinkAddress[]),
      routes: () => read('routes', () => native.routes()),
      applyRoutes: (operations) => native.applyRoutes([...operations]),
    },
    ipvs: new NamespaceIpvs(native),
    conntrack: conntrackOf(native),
    sysctls: sysctlsOf(native),
    watch: (listener) => {
      const options = { routes: true, links: true, addresses: true, nftTables: ['navstar'] }
      watches.push(native.watch(options, listener))
    },
    close: () => {
      for (const watch of watches.splice(0)) watch.close()
      native.close()
    },
  }
}

type NativeNamespace = Awaited<ReturnType<NativeAddon['NetworkNamespace']['open']>>

function conntrackOf(native: NativeNamespace): Conntrack {
  return {
    entries: (flows) =>
      read(
        'tracked connections',
        async () => (await native.conntrackEntries([...flows])) as ConntrackEntry[],
      ),
    delete: (flows) =>
      change('delete tracked connections', () => native.conntrackDelete([...flows])),
    track: (connections, timeoutSeconds) =>
      change('track connections', () => native.conntrackTrack([...connections], timeoutSeconds)),
  }
}

async function change<T>(attempt: string, changing: () => Promise<T>): Promise<T> {
  try {
    return await changing()
  } catch (cause) {
    throw new NavstarError('KERNEL_OPERATION_FAILED', { attempt, cause })
  }
}

function sysctlsOf(native: NativeNamespace): Sysctls {
  return {
    read: (names) =>
      read('settings of the network', async () => {
        const texts = await native.sysctlRead([...names])
        const pairs = names.map((name, index) => [name, texts[index]] as const)
        return new Map(pairs.flatMap(([name, text]) => (text == null ? [] : [[name, text]])))
      }),
    write: async (name, value) => {
      try {
        await native.sysctlWrite(name, value)
      } catch (cause) {
        const attempt = `set net/${name} to ${value}`
        throw new NavstarError('KERNEL_OPERATION_FAILED', { attempt, cause })
      }
    },
  }
}

async function read<T>(object: string, reading: () => Promise<T>): Promise<T> {
  try {
    return await reading()
  } catch (cause) {
    throw readFailure(`read ${object}`, cause)
  }
}

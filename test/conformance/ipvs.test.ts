/** What only IPVS does, or does in its own way. */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { run } from '../../src/demo/run.ts'
import { type Namespace, openNamespace } from '../../src/kernel/namespace.ts'
import { writeIp } from '../../src/model/ip-bytes.ts'
import { type Service, serviceKeyOf } from '../../src/model/vip.ts'
import type { VipOptions } from '../../src/model/vip-options.ts'
import { hasNftables } from './masquerade.ts'
import { ADDRESSES } from './network.ts'
import { ip } from './open-plane.ts'
import { type BackendInBrief, type Rig, service, tcp, udp } from './rig.ts'
import type { Destination, Tally } from './traffic.ts'
import { useRig } from './use-rig.ts'

const SITES = ['c1', 'c2', 'c3'] as const
const { c1, c2, c3 } = ADDRESSES

/** The kernel sums up every two seconds. */
const COUNTING = { timeout: 10_000, interval: 50 }

describe('the ipvs plane', () => {
  let last = 0
  const rig = useRig({ kind: 'ipvs' }, async (opened) => {
    for (const site of SITES) await opened.serve(site, 8080)
  })

  /** Serves a VIP of its own with these options. */
  async function serve(options: VipOptions, backends = all(4)): Promise<Destination> {
    const vip = tcp(`11.8.0.${++last}`, 80)
    const served = { ...service('tcp', [vip.address, 80], backends), options }
    expect(rig().plane.unsupported(served)).toEqual([])
    await rig().put(served)
    return vip
  }

  describe.each([
    { family: 4, vip: '11.8.1.1' },
    { family: 6, vip: 'fd01:c::811' },
  ] as const)('within 100 ms of a UDP backend that leaves, v$family', ({ family, vip }) => {
    const to = [udp(vip, 80), udp(vip, 80, false)]
    const served = (...sites: readonly (typeof SITES)[number][]) =>
      service(
        'udp',
        [vip, 80],
        sites.map((site) => [ADDRESSES[site][family], 8080]),
      )

    let entries: Entries
    beforeEach(async () => {
      entries = await Entries.open(rig())
    })
    afterEach(() => entries.close())
    const gone = (address: string) =>
      expect.poll(() => entries.to(address, vip), { interval: 5, timeout: 100 }).toBe(0)

    it('has no entry that points to it, and keeps all others', async () => {
      await rig().put(served('c1', 'c2'))
      const flows = await openFlows(rig(), to, 12)
      await expect.poll(() => entries.to(c1[family], vip)).toBe(24)
      const kept = await entries.to(c2[family], vip)
      await rig().put(served('c2'))
      await gone(c1[family])
      await expect.poll(() => entries.to(c2[family], vip)).toBe(kept)
      for (const flow of flows) expect((await rig().at('host').say(flow)).server).toBe('c2:8080')
    })

    it('nor one of a service that goes', async () => {
      await rig().put(served('c3'))
      await openFlows(rig(), to, 4)
      await expect.poll(() => entries.to(c3[family], vip)).toBe(16)
      await rig().remove(served('c3'))
      await gone(c3[family])
    })
  })

  it('gives each backend the same number, by turns', async () => {
    const vip = await serve({ algorithm: 'rr' })
    const { servers, errors } = await rig().at('host').visits(vip, 90)
    expect(errors).toEqual({})
    expect(servers).toEqual({ 'c1:8080': 30, 'c2:8080': 30, 'c3:8080': 30 })
  })

  it('fills by open connections and weight', async () => {
    const vip = await serve({ algorithm: 'least-conn' }, [
      [c1[4], 8080, 2],
      [c2[4], 8080, 1],
    ])
    await openFlows(rig(), [vip], 9)
    const [first = 0, second = 0] = await actives(rig(), vip)
    expect([first, second]).toEqual([6, 3])
  })

  it('keeps a client by maglev while others come and go, and leaves a draining backend', async () => {
    const vip = await serve({ algorithm: 'maglev' })
    const kept = await only(rig(), vip)
    const spare = SITES.filter((site) => `${site}:8080` !== kept)
    const put = (backends: BackendInBrief[]) =>
      rig().put({
        ...service('tcp', [vip.address, 80], backends),
        options: { algorithm: 'maglev' },
      })
    await put(all(4).filter(([address]) => address !== ADDRESSES[spare[0] ?? 'c1'][4]))
    expect(await only(rig(), vip)).toBe(kept)
    await put(all(4).map(([address, port]) => [address, port, isAt(address, kept) ? 0 : 1]))
    expect(await only(rig(), vip)).not.toBe(kept)
  })

  it('keeps a client by affinity, but not with a draining backend', async () => {
    const vip = await serve({ affinitySeconds: 60 })
    const kept = await only(rig(), vip)
    await rig().put({
      ...service(
        'tcp',
        [vip.address, 80],
        all(4).map(([address, port]) => [address, port, isAt(address, kept) ? 0 : 1]),
      ),
      options: { affinitySeconds: 60 },
    })
    expect(await only(rig(), vip)).not.toBe(kept)
  })

  it('refuses aloud what it cannot do', () => {
    const plain = service('tcp', ['11.8.9.9', 80], all(4))
    for (const options of [
      { algorithm: 'p2c-ewma' },
      { connectionLimit: 5 },
      { drain: 'reset' },
    ] as const) {
      expect(rig().plane.unsupported({ ...plain, options })).toHaveLength(1)
    }
  })

  it('counts connections and bytes, and none to a draining backend', async () => {
    const vip = await serve({}, [
      [c1[4], 8080],
      [c2[4], 8080],
    ])
    await rig().at('host').visits(vip, 40)
    const counted = () => rowsOf(rig(), vip)
    await expect.poll(async () => sum(await counted(), 'connections'), COUNTING).toBe(40)
    for (const { bytesToBackend, bytesFromBackend } of await counted()) {
      expect(bytesToBackend).toBeGreaterThan(20 * 100)
      expect(bytesFromBackend).toBeGreaterThan(20 * 100)
    }
    await rig().put(
      service(
        'tcp',
        [vip.address, 80],
        [
          [c1[4], 8080, 0],
          [c2[4], 8080],
        ],
      ),
    )
    const at = async (address: string) =>
      (await counted()).find((row) => row.address === address)?.connections
    const before = await at(c1[4])
    await rig().at('host').visits(vip, 40)
    await expect.poll(() => at(c2[4]), COUNTING).toBe(60)
    expect(await at(c1[4])).toBe(before)
  })

  it('resets the middle of a connection that it does not know', async () => {
    const vip = await serve({}, [[c1[4], 8080]])
    const [flow = ''] = await openFlows(rig(), [vip], 1)
    await ipvsadm(rig(), '-D', '-t', `${vip.address}:80`)
    const isKnown = async () => (await ipvsadm(rig(), '-Lcn')).includes(` ${vip.address}:80 `)
    await expect.poll(isKnown, { interval: 5 }).toBe(false) // else the new service adopts it
    await rig().reconcile()
    await expect(rig().at('host').say(flow)).rejects.toThrow(/ECONNRESET|EPIPE|ECLOSED/)
  })

  it('hides a program that listens on all addresses, where there is nf_tables', async () => {
    await rig().serveAt('host', { address: '0.0.0.0', port: 8899 })
    const visit = await rig().at('c1').visit(tcp('11.8.9.8', 8899))
    const isHidden = await hasNftables(rig().places)
    expect(visit.error).toBe(isHidden ? 'ECONNREFUSED' : undefined)
    expect((await rig().at('c1').visit(tcp(ADDRESSES.host[4], 8899))).error).toBeUndefined()
  })
})

function all(family: 4 | 6): BackendInBrief[] {
  return SITES.map((site) => [ADDRESSES[site][family], 8080])
}

function isAt(address: string, server: string | undefined): boolean {
  const site = SITES.find((each) => `${each}:8080` === server)
  return site !== undefined && ADDRESSES[site][4] === address
}

/** Opens flows of the host that stay, with one exchange each. @returns their names */
async function openFlows(
  rig: Rig,
  destinations: readonly Destination[],
  count: number,
): Promise<string[]> {
  const names: string[] = []
  for (const to of destinations) {
    for (let index = 0; index < count; index++) {
      const flow = `${to.transport} ${to.address} ${index}`
      await rig.at('host').call({ call: 'open', flow, ...to })
      await rig.at('host').say(flow)
      names.push(flow)
    }
  }
  return names
}

/** Reads entries without a program's start between, which would take longer than is allowed. */
class Entries {
  readonly #pid: number
  readonly #namespace: Namespace
  readonly #end: () => void

  private constructor(child: ChildProcess, namespace: Namespace) {
    this.#pid = child.pid ?? 0
    this.#namespace = namespace
    this.#end = () => void child.kill()
  }

  static async open({ places }: Rig): Promise<Entries> {
    const path = places.namespacePath('host')
    const child = spawn('nsenter', [`--net=${path}`, 'sleep', '600'], { stdio: 'ignore' })
    const entries = new Entries(child, await openNamespace(path))
    const isInside = async () => (await entries.#table()).startsWith('Pro')
    await expect.poll(isInside, { interval: 5 }).toBe(true)
    return entries
  }

  /** How many of IPVS and of conntrack lead to the address; a list that changes may lack some. */
  async to(address: string, vip: string): Promise<number> {
    const bytes = Buffer.alloc(address.includes(':') ? 16 : 4)
    writeIp(ip(address), bytes, 0)
    const hex = bytes.toString('hex').toUpperCase()
    const lines = (await this.#table()).split('\n').filter((line) => line.startsWith('UDP'))
    const found = lines.filter(
      (line) =>
        line
          .split(/ +/)[5]
          ?.replace(/[[\]:]/g, '')
          .toUpperCase() === hex,
    )
    const originalDestination = { address: ip(vip), port: 80 }
    const tracked = await this.#namespace.conntrack.entries([
      { protocol: 'udp', originalDestination, replySource: { address: ip(address), port: 8080 } },
    ])
    return found.length + tracked.length
  }

  close(): void {
    this.#end()
    this.#namespace.close()
  }

  #table(): Promise<string> {
    return readFile(`/proc/${this.#pid}/net/ip_vs_conn`, 'utf8').catch(() => '')
  }
}

/** The one server that 20 visits of container 1's neighbour meet. */
async function only(rig: Rig, vip: Destination): Promise<string | undefined> {
  const { servers, errors }: Tally = await rig.at('host').visits(vip, 20)
  expect(errors).toEqual({})
  expect(Object.keys(servers)).toHaveLength(1)
  return Object.keys(servers)[0]
}

async function rowsOf(rig: Rig, { address }: Destination) {
  const key = serviceKeyOf(service('tcp', [address, 80], []) satisfies Service)
  return (await rig.plane.statistics()).get(key) ?? []
}

async function actives(rig: Rig, vip: Destination): Promise<(number | undefined)[]> {
  const rows = [...(await rowsOf(rig, vip))].sort((left, right) =>
    left.address < right.address ? -1 : 1,
  )
  return rows.map(({ activeConnections }) => activeConnections)
}

function sum(rows: Awaited<ReturnType<typeof rowsOf>>, name: 'connections'): number {
  return rows.reduce((total, { [name]: count = 0 }) => total + count, 0)
}

function ipvsadm(rig: Rig, ...args: readonly string[]): Promise<string> {
  return inHost(rig, 'ipvsadm', ...args)
}

function inHost({ places }: Rig, ...command: readonly string[]): Promise<string> {
  return run('nsenter', [`--net=${places.namespacePath('host')}`, ...command])
}

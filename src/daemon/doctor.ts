/** What this host must have for navstar to work: each check passes, or names cause and hint. */
import { readFile } from 'node:fs/promises'
import { fetchAdmin } from '../admin/client.ts'
import { messageOf, NavstarError } from '../base/error.ts'
import type { DaemonConfig } from '../config/config.ts'
import { nativeAddon } from '../kernel/native.ts'
import { parseEndpoint } from '../model/endpoint.ts'
import { type Diagnosis, httpStatusOf, pass, whyNotBindable } from './diagnosis.ts'
import { checkGossip } from './gossip-doctor.ts'
import { checkPlanes } from './plane-doctor.ts'

/** What is looked at, by the name under which a check that throws is reported. */
const CHECKS: Readonly<Record<string, (config: DaemonConfig) => Promise<readonly Diagnosis[]>>> = {
  'native addon': checkAddon,
  privileges: checkPrivileges,
  'data planes': checkPlanes,
  forwarding: checkForwarding,
  daemon: checkDaemon,
  'DNS addresses': checkDnsAddresses,
  'resolv.conf': checkResolvConf,
  'Mesos agent': checkMesos,
  gossip: checkGossip,
}

/** Runs every check; one that throws is a failure of its own. */
export async function diagnose(config: DaemonConfig): Promise<Diagnosis[]> {
  const diagnoses: Diagnosis[] = []
  for (const [name, check] of Object.entries(CHECKS)) {
    try {
      diagnoses.push(...(await check(config)))
    } catch (error) {
      diagnoses.push(failure(name, error))
    }
  }
  return diagnoses
}

async function checkAddon(): Promise<Diagnosis[]> {
  nativeAddon()
  return [pass('native addon', 'loads')]
}

/** linux/capability.h */
const CAPABILITIES = { CAP_NET_ADMIN: 12, CAP_SYS_ADMIN: 21, CAP_NET_BIND_SERVICE: 10 } as const

async function checkPrivileges(): Promise<Diagnosis[]> {
  const status = await readFile('/proc/self/status', 'utf8')
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`)
  return Object.entries(CAPABILITIES).map(([name, bit]) =>
    (effective >> BigInt(bit)) & 1n
      ? pass(name, 'held')
      : {
          check: name,
          verdict: 'fail',
          found: 'not held',
          hint: 'Run as root or grant it in the unit.',
        },
  )
}

async function checkForwarding(): Promise<Diagnosis[]> {
  const check = 'ip_forward'
  const value = (await readFile('/proc/sys/net/ipv4/ip_forward', 'utf8')).trim()
  if (value === '1') return [pass(check, 'on')]
  const hint =
    'Containers reach VIPs of planes nftables and ipvs only with sysctl net.ipv4.ip_forward=1.'
  return [{ check, verdict: 'warn', found: 'off', hint }]
}

async function checkDaemon({ admin }: DaemonConfig): Promise<Diagnosis[]> {
  const check = `daemon at ${admin.listen}`
  try {
    await fetchAdmin(admin.listen, '/healthz')
    return [pass(check, 'runs')]
  } catch (error) {
    const found = await whyNotBindable(admin.listen)
    if (found === undefined) {
      return [
        {
          check,
          verdict: 'warn',
          found: 'does not run; the port is free',
          hint: 'Start navstar agent.',
        },
      ]
    }
    return [
      {
        check,
        verdict: 'fail',
        found: `${messageOf(error)}; ${found}`,
        hint: 'Choose another --admin-listen.',
      },
    ]
  }
}

async function checkDnsAddresses({ admin, dns }: DaemonConfig): Promise<Diagnosis[]> {
  const held = await heldDnsAddresses(admin.listen)
  return Promise.all(
    dns.listen.map(async (address): Promise<Diagnosis> => {
      const check = `DNS at ${address}`
      if (held.has(address)) return pass(check, 'answered by the daemon')
      const found = await whyNotBindable(address)
      if (found === undefined) return pass(check, 'can be bound')
      const hint = `Give this host the address (ip address add ${hostOf(address)}/32 dev lo) or set --dns-listen.`
      return { check, verdict: 'fail', found, hint }
    }),
  )
}

async function heldDnsAddresses(admin: string): Promise<Set<string>> {
  try {
    const status = (await fetchAdmin(admin, '/v1/navstar/status')) as {
      dns?: { address: string; state: string }[]
    }
    const bound = (status.dns ?? []).filter(({ state }) => state === 'listening')
    return new Set(bound.map(({ address }) => address))
  } catch {
    return new Set() // checkDaemon tells why
  }
}

async function checkResolvConf({ dns }: DaemonConfig): Promise<Diagnosis[]> {
  const check = '/etc/resolv.conf'
  const text = await readFile(check, 'utf8')
  const servers = [...text.matchAll(/^nameserver\s+(\S+)/gm)].map(([, server]) => server ?? '')
  const ours = dns.listen.map(hostOf)
  if (servers.some((server) => ours.includes(server)))
    return [pass(check, `names ${servers.join(', ')}`)]
  const hint = `Put 'nameserver ${ours[0] ?? ''}' first, or processes of this host cannot resolve VIPs.`
  return [{ check, verdict: 'warn', found: `names ${servers.join(', ') || 'nobody'}`, hint }]
}

async function checkMesos({ mesos }: DaemonConfig): Promise<Diagnosis[]> {
  if (mesos.agentUrl === undefined) return [pass('Mesos agent', 'none on this node (--mesos none)')]
  const check = `Mesos agent at ${mesos.agentUrl}`
  try {
    const status = await httpStatusOf(mesos.agentUrl, mesos.caPem)
    return [pass(check, `answers (HTTP ${status})`)]
  } catch (error) {
    return [
      {
        check,
        verdict: 'fail',
        found: messageOf(error),
        hint: 'Is mesos-agent running? Set --mesos; none where no agent runs by design.',
      },
    ]
  }
}

function hostOf(text: string): string {
  return parseEndpoint(text, 53)?.address ?? text
}

function failure(check: string, error: unknown): Diagnosis {
  const hint = error instanceof NavstarError ? error.hint : 'The check itself failed.'
  return { check, verdict: 'fail', found: messageOf(error), hint }
}

/**
 * Open connections of TCP in all network namespaces that a process is in.
 *
 * **Source:** `Documentation/networking/proc_net_tcp.rst`, proc(5) `/proc/[pid]/ns`
 */
import { readdir, readFile, readlink } from 'node:fs/promises'
import { familyOf, type Ip } from '../model/ip.ts'
import { readIp, writeIp } from '../model/ip-bytes.ts'
import type { ConntrackEndpoint, ConntrackTuple } from './conntrack.ts'

/** TCP_ESTABLISHED, TCP_FIN_WAIT1, TCP_FIN_WAIT2 and TCP_CLOSE_WAIT of `net/tcp_states.h`. */
const OPEN_STATES: ReadonlySet<string> = new Set(['01', '04', '05', '08'])

/** How ::ffff:0:0/96 is written there, before the address. */
const MAPPED = '0000000000000000FFFF0000'

/** Connections to these ends, each as its client's packets are addressed. */
export async function establishedTo(
  ends: Iterable<ConntrackEndpoint>,
): Promise<readonly ConntrackTuple[]> {
  const wanted = new Map<string, ConntrackEndpoint>()
  for (const end of ends) {
    const text = textOf(end)
    wanted.set(text, end)
    if (familyOf(end.address) === 4) wanted.set(`${MAPPED}${text}`, end)
  }
  const tables: string[] = []
  for (const pid of await namespaceHolders()) {
    for (const file of ['tcp', 'tcp6']) {
      tables.push(await readFile(`/proc/${pid}/net/${file}`, 'latin1').catch(() => '')) // it ended
    }
  }
  return tables.flatMap((table) => connectionsIn(table, wanted))
}

function connectionsIn(
  table: string,
  wanted: ReadonlyMap<string, ConntrackEndpoint>,
): ConntrackTuple[] {
  return table.split('\n').flatMap((line) => {
    const [, local = '', remote = '', state = ''] = line.trim().split(' ')
    const destination = OPEN_STATES.has(state) ? wanted.get(remote) : undefined
    return destination === undefined ? [] : [{ source: parseEnd(local), destination }]
  })
}

/** A process of each network namespace. */
async function namespaceHolders(): Promise<readonly string[]> {
  const holders = new Map<string, string>()
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue
    const namespace = await readlink(`/proc/${pid}/ns/net`).catch(() => undefined) // it ended
    if (namespace !== undefined && !holders.has(namespace)) holders.set(namespace, pid)
  }
  return [...holders.values()]
}

/** `0100007F:1F90`: the address in words of the machine's order, which is little-endian. */
function textOf({ address, port }: ConntrackEndpoint): string {
  const bytes = Buffer.alloc(familyOf(address) === 4 ? 4 : 16)
  writeIp(address, bytes, 0)
  const number = port.toString(16).padStart(4, '0')
  return `${bytes.swap32().toString('hex')}:${number}`.toUpperCase()
}

function parseEnd(text: string): ConntrackEndpoint {
  const [address = '', port = ''] = text.split(':')
  const isMapped = address.length === 32 && address.startsWith(MAPPED)
  const bytes = Buffer.from(isMapped ? address.slice(MAPPED.length) : address, 'hex').swap32()
  return {
    address: readIp(bytes, 0, bytes.length as 4 | 16) satisfies Ip,
    port: parseInt(port, 16),
  }
}

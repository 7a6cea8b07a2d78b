import { lookup } from 'node:dns/promises'
import { NavstarError } from '../base/error.ts'
import { type Ip, isIpv4, parseIp } from '../model/ip.ts'
import { FieldError, requiredTextAt, textAt } from './state/json-fields.ts'
import { bodyOf } from './state/state.ts'

/** Resolves a host name to its addresses, in any order. */
export type LookupHost = (hostname: string) => Promise<readonly string[]>

/** Asks the system's resolver. */
export const systemLookup: LookupHost = async (hostname) => {
  const found = await lookup(hostname, { all: true })
  return found.map(({ address }) => address)
}

/**
 * The agent's address, from its answer to GET_AGENT: the address in its pid where it names one
 * (`slave(1)@10.0.0.1:5051`), else its registered host name, which may be an address itself.
 *
 * **Source:** dcos-net `dcos_net_mesos_listener.erl` (handle_agent) resolves the host name
 *
 * @throws NavstarError MESOS_RESPONSE_INVALID, MESOS_UNREACHABLE when the name does not resolve
 */
export async function agentAddress(text: string, lookupHost: LookupHost): Promise<Ip> {
  const { pid, hostname } = agentFacts(text)
  const literal = addressOfPid(pid) ?? parseIp(hostname)
  if (literal !== undefined) return literal
  const attempt = `resolve the agent’s host name ${hostname}`
  const hint = 'Set --agent-ip, or make the agent’s registered host name resolve on this host.'
  let addresses: readonly string[]
  try {
    addresses = await lookupHost(hostname)
  } catch (cause) {
    throw new NavstarError('MESOS_UNREACHABLE', { attempt, cause, hint })
  }
  const address = preferred(addresses.flatMap((entry) => parseIp(entry) ?? []))
  if (address !== undefined) return address
  throw new NavstarError('MESOS_UNREACHABLE', { attempt, cause: new Error('no address'), hint })
}

/** The address in a libprocess pid, unless it is the wildcard. */
export function addressOfPid(pid: string): Ip | undefined {
  const address = parseIp(pid.slice(pid.lastIndexOf('@') + 1, pid.lastIndexOf(':')))
  return address === '0.0.0.0' ? undefined : address
}

function agentFacts(text: string): { readonly pid: string; readonly hostname: string } {
  const agent = bodyOf(text, 'GET_AGENT', 'get_agent')
  try {
    return {
      pid: textAt(agent, ['pid']) ?? '',
      hostname: requiredTextAt(agent, ['agent_info', 'hostname']),
    }
  } catch (error) {
    if (!(error instanceof FieldError)) throw error
    throw new NavstarError('MESOS_RESPONSE_INVALID', { attempt: 'read GET_AGENT', cause: error })
  }
}

/**
 * Mapped ports are served on IPv4, so that comes first. Distributions map the host's own name to
 * 127.0.1.1: loopback is taken only when there is nothing else.
 */
function preferred(addresses: readonly Ip[]): Ip | undefined {
  return outsideAddress(addresses) ?? addresses.find(isIpv4) ?? addresses[0]
}

/** The address at which others reach a host, IPv4 before IPv6; undefined: it has only loopback. */
export function outsideAddress(addresses: readonly Ip[]): Ip | undefined {
  const outside = addresses.filter((address) => !address.startsWith('127.') && address !== '::1')
  return outside.find(isIpv4) ?? outside[0]
}

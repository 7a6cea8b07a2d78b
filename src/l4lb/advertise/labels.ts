/**
 * VIP labels as DC/OS defined them. `/web` and `web` are different VIPs with one DNS name:
 * that is reported as a collision, never merged.
 *
 * **Source:** dcos-net `apps/dcos_l4lb/src/dcos_l4lb_mesos_poller.erl`
 */
import { NavstarError } from '../../base/error.ts'
import { parseIp } from '../../model/ip.ts'
import { mangleName } from '../../model/name.ts'
import { type Port, toPort } from '../../model/port.ts'
import type { Vip } from '../../model/vip.ts'

/** A VIP and the port that clients use on it. */
export interface VipLabel {
  readonly vip: Vip
  readonly port: Port
}

/**
 * Parses a VIP label value: `host:port`, split at the last colon. A host that is an IP literal
 * (IPv6 with or without brackets) is an address VIP; anything else is a name in the scope of the
 * framework.
 *
 * @param value e.g. `/web:80`, `10.1.2.3:80`, `fd01:c::5:80`, `[fd01:c::5]:80`
 * @throws NavstarError `LABEL_INVALID`
 */
export function parseVipLabel(value: string, framework: string): VipLabel {
  const colon = value.lastIndexOf(':')
  const port = parseLabelPort(value.slice(colon + 1))
  const host = value.slice(0, Math.max(colon, 0))
  if (colon < 0) throw invalid(value, 'it has no port')
  if (port === undefined) throw invalid(value, 'its port is no number from 1 to 65535')
  const address = parseIp(unbracket(host))
  if (address !== undefined) return { vip: { kind: 'address', address }, port }
  return { vip: named(value, host, framework), port }
}

function named(value: string, host: string, framework: string): Vip {
  const label = mangleName(host)
  const scope = mangleName(framework)
  if (label === '') throw invalid(value, 'nothing of its name can stand in a DNS name')
  if (scope === '') throw invalid(value, `framework name '${framework}' has no DNS form`)
  return { kind: 'named', label, rawLabel: host, framework, name: `${label}.${scope}` }
}

function unbracket(host: string): string {
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host
}

/** Erlang's list_to_integer takes a sign and leading zeros; so do labels in the wild. */
function parseLabelPort(text: string): Port | undefined {
  return /^\+?\d{1,9}$/.test(text) ? toPort(Number(text)) : undefined
}

function invalid(value: string, reason: string): NavstarError {
  const shown = value.length > 80 ? `${value.slice(0, 80)}…` : value
  return new NavstarError('LABEL_INVALID', { attempt: `parse VIP label '${shown}'`, cause: reason })
}

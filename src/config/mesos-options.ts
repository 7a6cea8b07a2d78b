/** The options of Mesos. */
import {
  type Masters,
  MESOS_DEFAULTS,
  type MesosOptions,
  readMastersText,
} from '../mesos/config.ts'
import type { Ip } from '../model/ip.ts'
import { readPemFile } from './file.ts'
import { fail, nonEmpty, type Option, wholeNumber } from './option.ts'

/** Where this node's agent is; undefined: nowhere. */
export interface AgentPlace {
  readonly url: string | undefined
}

/** The options of Mesos by the name that the composition uses. */
export interface MesosOptionTable {
  readonly mesos: Option<AgentPlace>
  readonly mesosCa: Option<string>
  readonly masters: Option<Masters>
  readonly mesosUser: Option<string>
  readonly mesosToken: Option<string>
  readonly pollIntervalMs: Option<number>
  readonly maxStateBytes: Option<number>
}

/** The options of Mesos. */
export const MESOS_OPTIONS: MesosOptionTable = {
  mesos: {
    name: 'mesos',
    placeholder: 'URL|none',
    help: 'The Mesos agent of this node; none: no agent runs here',
    defaultText: MESOS_DEFAULTS.agentUrl,
    parse: parseAgent,
  },
  mesosCa: {
    name: 'mesos-ca',
    placeholder: 'FILE',
    help: 'Certificates (PEM) to trust of agent and masters; default: Node.js’ own',
    parse: readPemFile,
  },
  masters: {
    name: 'masters',
    placeholder: 'zk://…|http://…|FILE',
    // A URL of ZooKeeper may carry a password.
    isSecret: true,
    help: 'Where the leading master is learned from: ZooKeeper, masters, Exhibitor or a master_list',
    parse: readMasters,
  },
  mesosUser: {
    name: 'mesos-credential',
    placeholder: 'USER:PASSWORD',
    isSecret: true,
    help: 'Basic authentication towards Mesos; better given by file or environment',
    parse: (text) => {
      if (text.indexOf(':') > 0) return text
      throw new Error('expected USER:PASSWORD')
    },
  },
  mesosToken: {
    name: 'mesos-token',
    placeholder: 'TOKEN',
    isSecret: true,
    help: 'Bearer token towards Mesos; `dcos:TOKEN` for DC/OS’ own form',
    parse: nonEmpty,
  },
  pollIntervalMs: {
    name: 'mesos-poll-interval-ms',
    placeholder: 'MS',
    help: 'From one poll of the agent to the next; 1000 or more when nothing changed for a minute',
    defaultText: String(MESOS_DEFAULTS.pollIntervalMs),
    parse: wholeNumber(10, 60_000),
  },
  maxStateBytes: {
    name: 'mesos-max-state-bytes',
    placeholder: 'BYTES',
    help: 'The largest answer of the agent that is accepted',
    defaultText: String(MESOS_DEFAULTS.maxStateBytes),
    parse: wholeNumber(1024, 2 ** 31),
  },
}

/** Composes the slice of Mesos. */
export function composeMesos(
  read: <T>(option: Option<T>) => T | undefined,
  ip: Ip | undefined,
): MesosOptions {
  const masters = read(MESOS_OPTIONS.masters)
  const agent = read(MESOS_OPTIONS.mesos)
  const caPem = read(MESOS_OPTIONS.mesosCa)
  const credential = credentialOf(read(MESOS_OPTIONS.mesosUser), read(MESOS_OPTIONS.mesosToken))
  return {
    ...MESOS_DEFAULTS,
    ...(ip && { agentIp: ip }),
    ...(credential && { credential }),
    ...(masters && { masters }),
    ...(caPem !== undefined && { caPem }),
    agentUrl: agent === undefined ? MESOS_DEFAULTS.agentUrl : agent.url,
    pollIntervalMs: read(MESOS_OPTIONS.pollIntervalMs) ?? MESOS_DEFAULTS.pollIntervalMs,
    maxStateBytes: read(MESOS_OPTIONS.maxStateBytes) ?? MESOS_DEFAULTS.maxStateBytes,
  }
}

function parseAgent(text: string): AgentPlace {
  if (text === 'none') return { url: undefined }
  const isHttp = URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)
  return isHttp ? { url: text } : fail('expected an http:// or https:// URL, or none')
}

function readMasters(text: string): Masters {
  const parsed = readMastersText(text)
  return parsed.kind === 'masters' ? parsed.masters : fail(parsed.problem)
}

function credentialOf(
  basic: string | undefined,
  token: string | undefined,
): MesosOptions['credential'] | undefined {
  if (token?.startsWith('dcos:') === true) return { kind: 'dcos', token: token.slice(5) }
  if (token !== undefined) return { kind: 'bearer', token }
  if (basic === undefined) return undefined
  const colon = basic.indexOf(':')
  return { kind: 'basic', user: basic.slice(0, colon), password: basic.slice(colon + 1) }
}

/**
 * What a master answers over HTTP, refusals in the order in which Mesos checks: authentication,
 * authorization, leadership, recovery, method, content type, body, accept.
 *
 * **Source:** Apache Mesos `src/master/http.cpp` (Http::api, Http::redirect)
 */
import type { JsonMessage } from '../agent/json.ts'
import type { MasterRole } from './cluster.ts'
import { type Encoder, JSON_ENCODER, jsonEncoderOf } from './encoding.ts'
import type { SimulatedMaster } from './master.ts'
import { getAgents, getExecutors, getFrameworks, getTasks, NOTHING_TO_SEE } from './snapshot.ts'

/** A request as far as a master looks at it. */
export interface MasterRequest {
  readonly method: string
  /** With the query. */
  readonly url: string
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: Uint8Array
}

/** What a master answers. */
export type MasterReply =
  | {
      readonly kind: 'answer'
      readonly status: number
      readonly headers: Readonly<Record<string, string>>
      readonly body: Uint8Array
    }
  | {
      readonly kind: 'stream'
      readonly encoder: Encoder
      readonly master: SimulatedMaster
      readonly snapshot: JsonMessage
    }

/** How a master treats callers; all of it may change while it runs. */
export interface Manners {
  /** The `Authorization` header that is asked for. */
  readonly authorization?: string
  /** How a 401 asks for it; default `Basic`. */
  readonly scheme?: 'Basic' | 'Bearer'
  /** Everybody is refused with 403. */
  readonly isForbidden?: boolean
  /** The caller may see nothing. */
  readonly isBlind?: boolean
  /** Where every request is sent, e.g. `//10.0.0.7:5050`; overrides the role. */
  readonly redirectTo?: string
  /** Content types that are refused although the simulator could write them. */
  readonly refusedTypes?: readonly string[]
  /** Answers an old snapshot instead of the present one. */
  readonly staleSnapshot?: JsonMessage
  /** An answer, true when it was asked for, is so long on its way; streams are not. */
  readonly answerDelayMs?: number
}

/** A master as a request meets it. */
export interface MasterFace {
  readonly role: MasterRole
  readonly manners: Manners
  /** The address of master `index`, e.g. `10.0.0.7:5050`. */
  readonly addressOf: (index: number) => string
  /** Besides JSON. */
  readonly encoders: readonly Encoder[]
  /** The type in a protobuf call; only with a protobuf encoder. */
  readonly readCall?: (body: Uint8Array) => string | undefined
}

type Call = (master: SimulatedMaster) => JsonMessage

const CALLS: Readonly<Record<string, Call>> = {
  GET_STATE: (master) => ({ get_state: master.snapshot }),
  GET_AGENTS: (master) => ({ get_agents: getAgents(master.state) }),
  GET_FRAMEWORKS: (master) => ({ get_frameworks: getFrameworks(master.state) }),
  GET_EXECUTORS: (master) => ({ get_executors: getExecutors(master.state) }),
  GET_TASKS: (master) => ({ get_tasks: getTasks(master.state) }),
  GET_VERSION: () => ({ get_version: { version_info: { version: '1.11.0' } } }),
}
const API_PATHS: ReadonlySet<string> = new Set(['/api/v1', '/master/api/v1'])
const REDIRECT_PATHS: ReadonlySet<string> = new Set(['/redirect', '/master/redirect'])
const PROTOBUF = 'application/x-protobuf'
const JSON_TYPE = 'application/json'

/** Answers a request. */
export function replyOfMaster(request: MasterRequest, face: MasterFace): MasterReply {
  const [path = ''] = request.url.split('?')
  if (REDIRECT_PATHS.has(path)) return redirect('', face)
  if (!API_PATHS.has(path)) return refusal(404, '')
  const refused = refuseCaller(request, face) ?? refuseRole(request, face)
  if (refused !== undefined) return refused
  if (request.method !== 'POST') {
    const said = `Expecting one of { 'POST' }, but received '${request.method}'`
    return refusal(405, said, { allow: 'POST' })
  }
  return replyToCall(request, face)
}

function refuseCaller(
  { headers }: MasterRequest,
  { manners }: MasterFace,
): MasterReply | undefined {
  const { authorization, scheme = 'Basic', isForbidden = false } = manners
  if (authorization !== undefined && headers['authorization'] !== authorization) {
    return refusal(401, '', { 'www-authenticate': `${scheme} realm="mesos-master-readwrite"` })
  }
  return isForbidden ? refusal(403, '') : undefined
}

function refuseRole({ url }: MasterRequest, face: MasterFace): MasterReply | undefined {
  const { role, manners } = face
  if (manners.redirectTo !== undefined || role.kind === 'standby') return redirect(url, face)
  return role.kind === 'recovering' ? refusal(503, 'Master has not finished recovery') : undefined
}

/** To the leader, without a scheme. */
function redirect(path: string, { role, manners, addressOf }: MasterFace): MasterReply {
  const leader = role.kind === 'standby' ? role.leader : undefined
  const isLeader = role.kind !== 'standby'
  if (manners.redirectTo === undefined && !isLeader && leader === undefined) {
    return refusal(503, 'No leader elected')
  }
  const target = manners.redirectTo ?? (leader === undefined ? '' : `//${addressOf(leader)}`)
  return refusal(307, '', { location: `${target}${path}` })
}

function replyToCall({ headers, body }: MasterRequest, face: MasterFace): MasterReply {
  const contentType = headers['content-type']
  const { manners, role, readCall } = face
  if (contentType === undefined) return refusal(400, "Expecting 'Content-Type' to be present")
  const isProtobuf = contentType === PROTOBUF && readCall !== undefined
  const isRefused = manners.refusedTypes?.includes(String(contentType)) === true
  if ((!isProtobuf && contentType !== JSON_TYPE) || isRefused) {
    return refusal(415, `Expecting 'Content-Type' of ${JSON_TYPE} or ${PROTOBUF}`)
  }
  const type = isProtobuf ? readCall(body) : jsonCall(body)
  if (type === undefined) return refusal(400, 'Failed to parse body into Call protobuf')
  const encoder = chooseEncoder(headers['accept'], face)
  if (encoder === undefined) {
    return refusal(406, `Expecting 'Accept' to allow ${JSON_TYPE} or ${PROTOBUF}`)
  }
  if (role.kind !== 'leading') return refusal(503, 'No leader elected')
  return answer(type, { encoder, master: role.master, manners })
}

interface Answering {
  readonly encoder: Encoder
  readonly master: SimulatedMaster
  readonly manners: Manners
}

function answer(type: string, { encoder, master, manners }: Answering): MasterReply {
  const snapshot = manners.isBlind === true ? NOTHING_TO_SEE : manners.staleSnapshot
  if (type === 'SUBSCRIBE') {
    return { kind: 'stream', encoder, master, snapshot: snapshot ?? master.snapshot }
  }
  const call = Object.hasOwn(CALLS, type) ? CALLS[type] : undefined
  if (call === undefined) return refusal(501, `${type} is not simulated`)
  const isState = snapshot !== undefined && type === 'GET_STATE'
  const content = isState ? { get_state: snapshot } : call(master)
  return {
    kind: 'answer',
    status: 200,
    headers: { 'content-type': encoder.contentType },
    body: encoder.encode({ type, ...content }, 'MasterResponse'),
  }
}

function jsonCall(body: Uint8Array): string | undefined {
  try {
    const { type } = JSON.parse(Buffer.from(body).toString()) as { readonly type?: unknown }
    return typeof type === 'string' ? type : undefined
  } catch {
    return undefined
  }
}

/** JSON is tried first; absent and `any type` give JSON. */
function chooseEncoder(
  accept: string | readonly string[] | undefined,
  { encoders, manners, role }: MasterFace,
): Encoder | undefined {
  const accepted = [accept ?? '*/*'].flat().join(',').split(',')
  const types = accepted.map((part) => part.split(';')[0]?.trim())
  const json = role.kind === 'leading' ? jsonEncoderOf(role.master.state.rules) : JSON_ENCODER
  return [json, ...encoders].find(({ contentType }) => {
    const isRefused = manners.refusedTypes?.includes(contentType) === true
    const isAccepted = types.some(
      (type) => type === contentType || type === 'application/*' || type === '*/*',
    )
    return isAccepted && !isRefused
  })
}

function refusal(
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): MasterReply {
  const body = Buffer.from(text)
  const type = { 'content-type': 'text/plain; charset=utf-8' }
  return { kind: 'answer', status, headers: { ...type, ...headers }, body }
}

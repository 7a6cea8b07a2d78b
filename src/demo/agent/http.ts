/**
 * What an agent answers over HTTP, refusals in the order in which Mesos checks: authentication,
 * recovery, method, content type, body, accept.
 *
 * **Source:** Apache Mesos `src/slave/http.cpp` (Http::api)
 */
import { answerCall } from './calls.ts'
import { writeJson } from './json.ts'
import type { AgentState } from './state.ts'
import { stateV0 } from './v0.ts'

/** A request as far as the agent looks at it. */
export interface AgentRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: string
}

/** An answer before compression. */
export interface AgentReply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** The agent as a request meets it. */
export interface AgentFace {
  readonly state: AgentState
  readonly isRecovering: boolean
  /** The `Authorization` header that is asked for; undefined: none. */
  readonly authorization: string | undefined
}

const V0_PATHS: ReadonlySet<string> = new Set(['/state', '/state.json', '/slave(1)/state'])
const API_PATHS: ReadonlySet<string> = new Set(['/api/v1', '/slave(1)/api/v1'])
const PROTOBUF = 'application/x-protobuf'
const JSON_TYPE = 'application/json'

/** Answers a request. */
export function reply(request: AgentRequest, face: AgentFace): AgentReply {
  const isApi = API_PATHS.has(request.path)
  if (!isApi && !V0_PATHS.has(request.path)) return refusal(404, '')
  const refused = refuse(request, face, isApi)
  if (refused !== undefined) return refused
  if (isApi) return replyToCall(request, face)
  return json(writeJson(stateV0(face.state), { omitsEmptyLists: false }))
}

function refuse(request: AgentRequest, face: AgentFace, isApi: boolean): AgentReply | undefined {
  const realm = isApi ? 'mesos-agent-readwrite' : 'mesos-agent-readonly'
  if (face.authorization !== undefined && request.headers['authorization'] !== face.authorization) {
    return refusal(401, '', { 'www-authenticate': `Basic realm="${realm}"` })
  }
  if (face.isRecovering) return refusal(503, 'Agent has not finished recovery')
  if (isApi && request.method !== 'POST') {
    const said = `Expecting one of { 'POST' }, but received '${request.method}'`
    return refusal(405, said, { allow: 'POST' })
  }
  return undefined
}

function replyToCall({ headers, body }: AgentRequest, { state }: AgentFace): AgentReply {
  const contentType = headers['content-type']
  if (contentType === undefined) return refusal(400, "Expecting 'Content-Type' to be present")
  if (contentType !== JSON_TYPE) {
    // Protobuf is not simulated; Mesos would take it.
    return refusal(415, `Expecting 'Content-Type' of ${JSON_TYPE} or ${PROTOBUF}`)
  }
  const call = parseCall(body)
  if (call.kind === 'refused') return refusal(400, call.reason)
  if (!acceptsJson(headers['accept'])) {
    return refusal(406, `Expecting 'Accept' to allow ${JSON_TYPE} or ${PROTOBUF}`)
  }
  const answer = answerCall(call.type, state)
  if (answer === undefined) return refusal(501, `${call.type} is not simulated`)
  return json(writeJson(answer, { omitsEmptyLists: true }))
}

type ParsedCall =
  | { readonly kind: 'call'; readonly type: string }
  | { readonly kind: 'refused'; readonly reason: string }

function parseCall(body: string): ParsedCall {
  let call: unknown
  try {
    call = JSON.parse(body)
  } catch {
    return { kind: 'refused', reason: 'Failed to parse body into JSON: syntax error' }
  }
  if (typeof call !== 'object' || call === null || Array.isArray(call)) {
    return { kind: 'refused', reason: 'Failed to convert JSON into Call protobuf: not an object' }
  }
  const { type } = call as { readonly type?: unknown }
  if (type === undefined) {
    return {
      kind: 'refused',
      reason: "Failed to validate agent::Call: Expecting 'type' to be present",
    }
  }
  if (typeof type === 'string' && /^[A-Z_]+$/.test(type)) return { kind: 'call', type }
  return { kind: 'refused', reason: 'Failed to convert JSON into Call protobuf: unknown type' }
}

/** Absent, `any type` and `application/*` all give JSON. */
function acceptsJson(accept: string | readonly string[] | undefined): boolean {
  if (accept === undefined) return true
  const types = [accept]
    .flat()
    .join(',')
    .split(',')
    .map((part) => part.split(';')[0]?.trim())
  return types.some((type) => type === JSON_TYPE || type === 'application/*' || type === '*/*')
}

function json(body: string): AgentReply {
  return { status: 200, headers: { 'content-type': JSON_TYPE }, body }
}

function refusal(
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): AgentReply {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8', ...headers }, body }
}

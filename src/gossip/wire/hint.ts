/** What the masters say that concerns the receiver. */
import type { AgentGone, Hint } from '../engine/messages.ts'
import type { MessageCodec } from './message-codec.ts'

const HINTED: Hint = Object.freeze({ kind: 'hint' })

/** Ids of agents as Mesos makes them, e.g. `0c8a…-S12`; nothing that a terminal would obey. */
const AGENT_ID = /^[!-~]{1,255}$/
const MOST_AGENT_BYTES = 255

/** "Read your agent now." */
export const HINT: MessageCodec<Hint> = {
  number: 18,
  write: () => undefined,
  read: () => HINTED,
}

/** "This agent is gone for good." */
export const AGENT_GONE: MessageCodec<AgentGone> = {
  number: 20,
  write: (sink, { agent }) => sink.text(agent),
  read: (reader) => {
    const agent = reader.text(MOST_AGENT_BYTES)
    if (!isAgentId(agent)) reader.breakOff()
    return { kind: 'agent-gone', agent }
  },
}

/** Whether a text can be sent as the id of an agent. */
export function isAgentId(text: string): boolean {
  return AGENT_ID.test(text)
}

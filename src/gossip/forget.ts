/** Forgetting a member because an operator says that it does not come back. */
import { NavstarError } from '../base/error.ts'
import type { Member } from '../model/member.ts'
import type { NodeId } from '../model/node-id.ts'
import type { Engine } from './engine/engine.ts'
import type { EngineRunner } from './engine-runner.ts'

/** What came of it. */
export interface Forgetting {
  /** The member as it was known. */
  readonly member: Member
  /** It is not dead yet: it is forgotten when it is, or stays if it speaks up before. */
  readonly isPending: boolean
}

/**
 * Evicts a member, on all nodes.
 *
 * @throws NavstarError `GOSSIP_MEMBER_UNKNOWN`, `GOSSIP_MEMBER_ALIVE`
 */
export function forgetMember(
  running:
    | { readonly engine: Pick<Engine, 'member'>; readonly runner: Pick<EngineRunner, 'handle'> }
    | undefined,
  node: NodeId,
): Forgetting {
  const attempt = `forget node ${node}`
  const member = running?.engine.member(node)
  if (running === undefined || member === undefined) {
    throw new NavstarError('GOSSIP_MEMBER_UNKNOWN', { attempt })
  }
  if (member.isSelf) {
    throw new NavstarError('GOSSIP_MEMBER_ALIVE', {
      attempt,
      cause: 'it is the node that was asked',
    })
  }
  if (member.state === 'alive') throw new NavstarError('GOSSIP_MEMBER_ALIVE', { attempt })
  running.runner.handle({ kind: 'forget', node })
  return { member, isPending: running.engine.member(node) !== undefined }
}

/** Brings each message to the part that it is for. */
import type { NodeId } from '../../model/node-id.ts'
import type { Prober } from './detection/prober.ts'
import type { Relay } from './detection/relay.ts'
import type { Destination, EngineInput } from './effects.ts'
import type { Hints } from './hints.ts'
import type { Evictions } from './membership/evictions.ts'
import type { Joining } from './membership/joining.ts'
import type { MemberRequests } from './membership/member-requests.ts'
import type { StatementIntake } from './membership/statement-intake.ts'
import type { Message } from './messages.ts'
import type { Spread } from './spread/spread.ts'
import type { Sync } from './sync/sync.ts'

/** The parts that messages are for. */
export interface Receivers {
  readonly prober: Prober
  readonly relay: Relay
  readonly spread: Spread
  readonly sync: Sync
  readonly intake: StatementIntake
  readonly joining: Joining
  readonly members: MemberRequests
  readonly hints: Hints
  readonly evictions: Evictions
  readonly answerJoin: (to: Destination) => void
}

/** Handles one message of a peer. */
export function dispatch(
  receivers: Receivers,
  { from, endpoint }: Extract<EngineInput, { kind: 'received' }>,
  message: Message,
): void {
  const { prober, relay, spread, sync, intake, joining, members } = receivers
  switch (message.kind) {
    case 'ping':
      prober.onPing(from, endpoint, message)
      sync.onDigest(from, message.digest)
      break
    case 'ack':
      prober.onAck(from, message)
      relay.onAck(from, message)
      sync.onDigest(from, message.digest)
      break
    case 'ping-request':
      relay.onRequest(from, message)
      break
    case 'ping-report':
      prober.onReport(from, message)
      break
    case 'announcement':
      intake.onAnnouncement(from, message)
      break
    case 'accusation':
      intake.onAccusation(from, message)
      break
    case 'delta':
      spread.onDelta(from, message)
      break
    case 'have':
      spread.onHave(from, message)
      break
    case 'want':
      spread.onWant(from, message)
      break
    case 'want-members':
      members.onWant(from, message, { node: from, endpoint })
      break
    case 'prune':
      spread.onPrune(from)
      break
    case 'sync-open':
      sync.onOpen(from, message)
      break
    case 'sync-ranges':
      sync.onRanges(from, message)
      break
    case 'sync-rows':
      sync.onRows(from, message)
      break
    case 'sync-end':
      sync.onEnd(from)
      break
    case 'join':
      onJoin(receivers, { node: from, endpoint }, message.announcement)
      break
    case 'welcome':
      joining.onWelcome(from, message)
      break
    case 'hint':
      receivers.hints.onHint(from)
      break
    case 'agent-gone':
      receivers.hints.onAgentGone(from, message)
      break
    case 'eviction':
      receivers.evictions.onEviction(from, message)
      break
  }
}

function onJoin(
  { intake, answerJoin }: Receivers,
  from: Destination & { readonly node: NodeId },
  announcement: Parameters<StatementIntake['onAnnouncement']>[1],
): void {
  if (announcement.node !== from.node) return
  intake.onAnnouncement(from.node, announcement)
  answerJoin({ node: from.node, endpoint: announcement.endpoint })
}

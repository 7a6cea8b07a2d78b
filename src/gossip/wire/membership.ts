/** Who is there: statements about members, and how a newcomer meets them. */
import type { Join, WantMembers, Welcome } from '../engine/messages.ts'
import type { Accusation, Announcement, Eviction } from '../engine/statements.ts'
import type { MessageCodec } from './message-codec.ts'
import {
  LEAST_ANNOUNCEMENT_BYTES,
  readAccusation,
  readAnnouncement,
  readEviction,
  writeAccusation,
  writeAnnouncement,
  writeEviction,
} from './statements.ts'

/** A node about itself. */
export const ANNOUNCEMENT: MessageCodec<Announcement> = {
  number: 5,
  write: writeAnnouncement,
  read: readAnnouncement,
}

/** A node about another. */
export const ACCUSATION: MessageCodec<Accusation> = {
  number: 6,
  write: writeAccusation,
  read: readAccusation,
}

/** A node about another that does not come back. */
export const EVICTION: MessageCodec<Eviction> = {
  number: 19,
  write: writeEviction,
  read: readEviction,
}

/** "Send me announcements and accusations of these nodes." */
export const WANT_MEMBERS: MessageCodec<WantMembers> = {
  number: 10,
  write: (sink, { nodes }) => {
    sink.u16(nodes.length)
    for (const node of nodes) sink.id(node)
  },
  read: (reader) => ({
    kind: 'want-members',
    nodes: reader.list(reader.u16(), 16, () => reader.id()),
  }),
}

/** "I am new; whom do you know?" */
export const JOIN: MessageCodec<Join> = {
  number: 15,
  write: (sink, { announcement }) => writeAnnouncement(sink, announcement),
  read: (reader) => ({ kind: 'join', announcement: readAnnouncement(reader) }),
}

/** Some members. */
export const WELCOME: MessageCodec<Welcome> = {
  number: 16,
  write: (sink, { announcements }) => {
    sink.u8(announcements.length)
    for (const announcement of announcements) writeAnnouncement(sink, announcement)
  },
  read: (reader) => ({
    kind: 'welcome',
    announcements: reader.list(reader.u8(), LEAST_ANNOUNCEMENT_BYTES, readAnnouncement),
  }),
}

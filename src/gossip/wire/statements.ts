/** Statements: how they are sent, and the bytes that are signed. */
import type {
  Accusation,
  Announcement,
  Eviction,
  Head,
  Statement,
  Unsigned,
} from '../engine/statements.ts'
import { measure } from './measure.ts'
import type { Reader } from './reader.ts'
import type { Sink } from './sink.ts'
import { Writer } from './writer.ts'

/** An Ed25519 signature. **Source:** RFC 8032 §5.1.6 */
export const SIGNATURE_BYTES = 64

/** An Ed25519 public key. **Source:** RFC 8032 §5.1.5 */
export const PUBLIC_KEY_BYTES = 32

/** A SHA-256 digest. */
const DIGEST_BYTES = 32

/** More buckets than anyone needs: at 64 records each, four million records of one node. */
const MOST_BUCKET_BITS = 16

/** The least bytes of an announcement: one without a certificate. */
export const LEAST_ANNOUNCEMENT_BYTES = 141

/** Writes an announcement with its signature. */
export function writeAnnouncement(sink: Sink, announcement: Announcement): void {
  writeAnnouncementFields(sink, announcement)
  sink.bytes(announcement.signature)
}

/** Reads an announcement. */
export function readAnnouncement(reader: Reader): Announcement {
  return {
    kind: 'announcement',
    node: reader.id(),
    publicKey: reader.bytes(PUBLIC_KEY_BYTES),
    endpoint: reader.endpoint(),
    incarnation: reader.u53(),
    isLeaving: reader.flag(),
    certificate: reader.bytes16(),
    signature: reader.bytes(SIGNATURE_BYTES),
  }
}

function writeAnnouncementFields(sink: Sink, announcement: Unsigned<Announcement>): void {
  sink.id(announcement.node)
  sink.bytes(announcement.publicKey)
  sink.endpoint(announcement.endpoint)
  sink.u53(announcement.incarnation)
  sink.flag(announcement.isLeaving)
  sink.bytes16(announcement.certificate)
}

/** Writes an accusation with its signature. */
export function writeAccusation(sink: Sink, accusation: Accusation): void {
  writeAccusationFields(sink, accusation)
  sink.bytes(accusation.signature)
}

/** Reads an accusation. */
export function readAccusation(reader: Reader): Accusation {
  return {
    kind: 'accusation',
    subject: reader.id(),
    incarnation: reader.u53(),
    accuser: reader.id(),
    signature: reader.bytes(SIGNATURE_BYTES),
  }
}

function writeAccusationFields(sink: Sink, accusation: Unsigned<Accusation>): void {
  sink.id(accusation.subject)
  sink.u53(accusation.incarnation)
  sink.id(accusation.accuser)
}

/** Writes an eviction with its signature. */
export function writeEviction(sink: Sink, eviction: Eviction): void {
  writeEvictionFields(sink, eviction)
  sink.bytes(eviction.signature)
}

/** Reads an eviction. */
export function readEviction(reader: Reader): Eviction {
  return {
    kind: 'eviction',
    subject: reader.id(),
    incarnation: reader.u53(),
    issuer: reader.id(),
    signature: reader.bytes(SIGNATURE_BYTES),
  }
}

function writeEvictionFields(sink: Sink, eviction: Unsigned<Eviction>): void {
  sink.id(eviction.subject)
  sink.u53(eviction.incarnation)
  sink.id(eviction.issuer)
}

/** Writes a head with its signature. */
export function writeHead(sink: Sink, head: Head): void {
  writeHeadFields(sink, head)
  sink.bytes(head.signature)
}

/** Reads a head. */
export function readHead(reader: Reader): Head {
  const head: Head = {
    kind: 'head',
    node: reader.id(),
    version: reader.u53(),
    floor: reader.u53(),
    bucketBits: reader.u8(),
    digest: reader.bytes(DIGEST_BYTES),
    signature: reader.bytes(SIGNATURE_BYTES),
  }
  if (head.bucketBits > MOST_BUCKET_BITS) reader.breakOff()
  return head
}

function writeHeadFields(sink: Sink, head: Unsigned<Head>): void {
  sink.id(head.node)
  sink.u53(head.version)
  sink.u53(head.floor)
  sink.u8(head.bucketBits)
  sink.bytes(head.digest)
}

/**
 * The bytes that are signed: the statement's name and version, the cluster id, and all fields
 * before the signature. So no statement counts as one of another kind or in another cluster.
 */
export function signedBytes(statement: Unsigned<Statement>, clusterId: string): Uint8Array {
  return bytesOf((sink) => {
    sink.text(`navstar ${statement.kind} 1`)
    sink.text(clusterId)
    writeFields(sink, statement)
  })
}

/** The bytes that a CA signs for a node: a name, the cluster id and the node id. */
export function certifiedBytes(node: Announcement['node'], clusterId: string): Uint8Array {
  return bytesOf((sink) => {
    sink.text('navstar certificate 1')
    sink.text(clusterId)
    sink.id(node)
  })
}

function writeFields(sink: Sink, statement: Unsigned<Statement>): void {
  switch (statement.kind) {
    case 'announcement':
      writeAnnouncementFields(sink, statement as Announcement)
      break
    case 'accusation':
      writeAccusationFields(sink, statement as Accusation)
      break
    case 'eviction':
      writeEvictionFields(sink, statement as Eviction)
      break
    case 'head':
      writeHeadFields(sink, statement as Head)
      break
  }
}

function bytesOf(write: (sink: Sink) => void): Uint8Array {
  const writer = new Writer(measure(write))
  write(writer)
  return writer.written
}

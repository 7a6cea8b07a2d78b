/** Messages of Mesos as bytes, by protobufjs and definitions that the product does not know. */
import { readFileSync } from 'node:fs'
import protobuf from 'protobufjs'

/** The messages of `operator.proto` that are sent as a whole. */
export type ProtoName = 'Event' | 'AgentResponse' | 'MasterResponse' | 'MasterInfo'

// Required fields may lack here: tests want messages that Mesos would not write.
const text = readFileSync(new URL('operator.proto', import.meta.url), 'utf8')
const { root } = protobuf.parse(text.replaceAll('required ', 'optional '), { keepCase: true })

/** The definition of a message. */
export function protoOf(name: string): protobuf.Type {
  return root.lookupType(`operator.${name}`)
}

/** Encodes what Mesos' JSON of the message looks like. */
export function encodeProto(name: string, message: object): Uint8Array {
  const type = protoOf(name)
  return Uint8Array.from(type.encode(type.fromObject(message)).finish())
}

/** Frames records as a master does. */
export function frame(records: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(
    Buffer.concat(records.flatMap((record) => [Buffer.from(`${record.length}\n`), record])),
  )
}

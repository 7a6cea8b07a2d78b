import type { ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'

/** An answer before compression. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
}

/**
 * Sends an answer; libprocess compresses from 1024 bytes on for those who accept gzip.
 *
 * **Source:** Apache Mesos `3rdparty/libprocess/src/encoder.hpp` (HttpResponseEncoder)
 */
export function sendAnswer(response: ServerResponse, answer: Answer, accepted: unknown): void {
  const plain = Buffer.from(answer.body)
  const isCompressed = plain.length >= 1024 && String(accepted ?? '').includes('gzip')
  const body = isCompressed ? gzipSync(plain) : plain
  response.writeHead(answer.status, {
    ...answer.headers,
    ...(isCompressed ? { 'content-encoding': 'gzip' } : {}),
    'content-length': body.length,
  })
  response.end(body)
}

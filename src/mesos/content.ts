import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { NavstarError } from '../base/error.ts'
import { type Answer, tooLarge } from './http.ts'

const gunzipAsync = promisify(gunzip)

/**
 * The text of an answer, decompressed off the event loop.
 *
 * @throws NavstarError MESOS_RESPONSE_INVALID for another type or encoding, broken gzip or no
 *   UTF-8; MESOS_RESPONSE_TOO_LARGE beyond `maxBytes`
 */
export async function textOf(answer: Answer, maxBytes: number): Promise<string> {
  const [mediaType = ''] = answer.contentType.split(';')
  if (mediaType.trim().toLowerCase() !== 'application/json') {
    throw invalid(new Error(`the content type is ${JSON.stringify(answer.contentType)}`))
  }
  const body = await decompress(answer, maxBytes)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch (error) {
    throw invalid(error)
  }
}

/** The bytes of an answer, decompressed off the event loop. @throws NavstarError as {@link textOf} */
export async function decompress(answer: Answer, maxBytes: number): Promise<Buffer> {
  const encoding = answer.contentEncoding.trim().toLowerCase()
  if (encoding === 'identity' || encoding === '') return answer.body
  if (encoding !== 'gzip' && encoding !== 'x-gzip') {
    throw invalid(new Error(`the content encoding is ${JSON.stringify(encoding)}`))
  }
  try {
    return await gunzipAsync(answer.body, { maxOutputLength: maxBytes })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(maxBytes)
    throw invalid(error)
  }
}

function invalid(cause: unknown): NavstarError {
  return new NavstarError('MESOS_RESPONSE_INVALID', { attempt: 'read the answer’s text', cause })
}

import { describe, expect, test } from 'vitest'
import { messageOf, NavstarError, toNavstarError } from '../../src/base/error.ts'
import { ERROR_CODES } from '../../src/base/error-codes.ts'

describe('the registry of errors', () => {
  const entries = Object.entries(ERROR_CODES)

  test('is in alphabetical order', () => {
    const codes = entries.map(([code]) => code)
    expect(codes).toEqual([...codes].sort())
  })

  test.for(entries)('%s has a summary, a hint and an effect', ([code, entry]) => {
    expect(code).toMatch(/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/)
    expect(entry.summary).toMatch(/^[A-Z].*[^.]$/)
    expect(entry.hint).toMatch(/^[A-Z].*\.$/)
    expect(['none', 'partial', 'unknown']).toContain(entry.effect)
  })
})

describe('an error', () => {
  test('says what was attempted and why it failed, with hint and effect of its code', () => {
    const cause = new Error('EADDRINUSE')
    const error = new NavstarError('DNS_BIND_FAILED', { attempt: 'listen on 127.0.0.1:53', cause })
    expect(error).toMatchObject({
      name: 'NavstarError',
      code: 'DNS_BIND_FAILED',
      message: 'A DNS address cannot be bound (listen on 127.0.0.1:53): EADDRINUSE',
      hint: ERROR_CODES.DNS_BIND_FAILED.hint,
      effect: 'none',
      cause,
    })
  })

  test('takes a better hint from its place', () => {
    const details = { attempt: 'x', hint: 'Do y.' }
    expect(new NavstarError('UNEXPECTED', details).hint).toBe('Do y.')
  })

  test('stays what it is; anything else becomes UNEXPECTED', () => {
    const known = new NavstarError('TASK_INVALID', { attempt: 'x' })
    expect(toNavstarError(known, 'y')).toBe(known)
    expect(toNavstarError('boom', 'y')).toMatchObject({ code: 'UNEXPECTED', cause: 'boom' })
  })
})

const fetchFailure = new TypeError('fetch failed', { cause: new Error('ECONNREFUSED') })
test.for([
  [new Error('plain'), 'plain'],
  ['text', 'text'],
  [undefined, 'undefined'],
  [fetchFailure, 'ECONNREFUSED'],
  [new Error('', { cause: fetchFailure }), 'ECONNREFUSED'],
  [new RangeError(''), 'RangeError'],
] as const)('the message of %s is %s', ([thrown, message]) => {
  expect(messageOf(thrown)).toBe(message)
})

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { renderErrors } from '../../dev/reference-docs.ts'
import { ERROR_CODES } from '../../src/base/error-codes.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/errors.md'), 'utf8')
const documented = [...page.matchAll(/^\| `([A-Z0-9_]+)` \|/gm)].map((match) => match[1])
const codes = Object.keys(ERROR_CODES)

test('every code is in docs/errors.md', () => {
  expect(codes.filter((code) => !documented.includes(code))).toEqual([])
})

test('docs/errors.md has no code that does not exist', () => {
  expect(documented.filter((code) => code === undefined || !codes.includes(code))).toEqual([])
})

test('docs/errors.md says what the registry says (else run: node dev/write-docs.ts)', () => {
  expect(page).toBe(renderErrors())
})

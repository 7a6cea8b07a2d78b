import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { collectMetrics, renderMetrics } from '../../dev/reference-docs.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/metrics.md'), 'utf8')
const documented = [...page.matchAll(/^\| `(navstar_\w+)` \|/gm)].map((match) => match[1])
const metrics = await collectMetrics()

test('every metric is in docs/metrics.md', () => {
  expect(metrics.map(({ name }) => name).filter((name) => !documented.includes(name))).toEqual([])
})

test('docs/metrics.md has no metric that does not exist', () => {
  const names = new Set(metrics.map(({ name }) => name))
  expect(documented.filter((name) => name === undefined || !names.has(name))).toEqual([])
})

test('docs/metrics.md says what the code says (else run: node dev/write-docs.ts)', () => {
  expect(page).toBe(renderMetrics(metrics))
})

test.for(metrics)('$name is named and explained by the rules', ({ capability, name, ...rest }) => {
  expect(name).toMatch(new RegExp(`^navstar_${capability}_[a-z0-9_]+$`))
  expect(name.endsWith('_total')).toBe(rest.type === 'counter')
  expect(rest.help.length).toBeGreaterThan(10)
})

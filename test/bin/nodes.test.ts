import { expect, test } from 'vitest'
import { nodesText } from '../../src/bin/nodes.ts'
import type { NodesView, NodeView } from '../../src/daemon/node-resources.ts'

const NODE: NodeView = {
  id: '0123456789abcdef0123456789abcdef',
  address: '10.0.0.1:62501',
  state: 'alive',
  incarnation: 1_800_000_000,
  isSelf: true,
  records: 3,
  heldVersion: 7,
  knownVersion: 7,
}
const VIEW: NodesView = {
  self: NODE.id,
  clusterId: 'blue',
  isIsolated: false,
  isComplete: true,
  nodes: [NODE, { ...NODE, id: `f${NODE.id.slice(1)}`, isSelf: false, rttMs: 0.42 }],
}

test('nodes stand in columns, this one is marked', () => {
  expect(nodesText(VIEW)).toBe(
    [
      'cluster blue',
      '  id        address         state  incarnation  rtt ms  records  held  missing',
      '* 01234567  10.0.0.1:62501  alive  1800000000   -       3        7     0',
      '  f1234567  10.0.0.1:62501  alive  1800000000   0.4     3        7     0',
    ].join('\n'),
  )
})

test.each([
  ['nothing', 0, 'all'],
  ['less', 5, '2'],
  ['everything', 7, '0'],
])('of a node that is held %s of, the missing is told', (_name, heldVersion, missing) => {
  const [, , line = ''] = nodesText({ ...VIEW, nodes: [{ ...NODE, heldVersion }] }).split('\n')
  expect(line.split(/ +/).at(-1)).toBe(missing)
})

test('a node that is to be forgotten is marked', () => {
  const nodes: readonly NodeView[] = [{ ...NODE, state: 'doubted', isEvicted: true }]
  expect(nodesText({ ...VIEW, nodes })).toContain('doubted, evicted')
})

test('a node that is cut off says so first', () => {
  expect(nodesText({ ...VIEW, isIsolated: true })).toMatch(/^ISOLATED: /)
})

test('a node alone says so', () => {
  const { clusterId: _, ...alone } = VIEW
  expect(nodesText(alone)).toMatch(/^no cluster: this node stands alone\n/)
})

test('what is not complete yet is told', () => {
  expect(nodesText({ ...VIEW, isComplete: false })).toContain('cluster blue (still learning')
})

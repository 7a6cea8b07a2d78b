import { expect, test } from 'vitest'
import { Rest } from '../../src/mesos/rest.ts'

test.for([
  { name: 'before the first poll', polls: [], restMs: 25 },
  { name: 'after short polls', polls: [3, 4, 5], restMs: 25 },
  { name: 'after polls that all take long', polls: [300, 310, 290], restMs: 300 },
  { name: 'after one that was held up', polls: [8, 9, 8, 500], restMs: 25 },
  { name: 'after an agent has grown', polls: [8, 8, 300, 300, 300], restMs: 300 },
  { name: 'after an agent has shrunk', polls: [300, 300, 300, 8, 8, 8], restMs: 25 },
])('a rest $name', ({ polls, restMs }) => {
  const rest = new Rest()
  for (const durationMs of polls) rest.note(durationMs)
  expect(rest.durationMs).toBe(restMs)
})

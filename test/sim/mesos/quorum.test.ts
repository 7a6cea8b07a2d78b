import { expect, test } from 'vitest'
import { chooseLeader } from '../../../src/demo/mesos/hosted/quorum.ts'

const up = (side: number) => ({ isUp: true, side })
const down = { isUp: false, side: 0 }

test.for([
  { name: 'nobody leads nobody', masters: [], present: undefined, leader: undefined },
  { name: 'one alone leads', masters: [up(0)], present: undefined, leader: 0 },
  { name: 'a leader stays', masters: [up(0), up(0), up(0)], present: 2, leader: 2 },
  { name: 'the first takes over', masters: [up(0), up(0), down], present: 2, leader: 0 },
  {
    name: 'one of three leads nobody',
    masters: [up(0), down, down],
    present: 0,
    leader: undefined,
  },
  { name: 'two halves have no majority', masters: [up(0), up(1)], present: 0, leader: undefined },
  { name: 'a leader that is cut off', masters: [up(1), up(0), up(0)], present: 0, leader: 1 },
  { name: 'a leader with its majority', masters: [up(0), up(0), up(1)], present: 1, leader: 1 },
  {
    name: 'three sides have no leader',
    masters: [up(0), up(1), up(2)],
    present: 0,
    leader: undefined,
  },
])('of masters: $name', ({ masters, present, leader }) => {
  expect(chooseLeader(masters, present)).toBe(leader)
})

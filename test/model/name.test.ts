import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mangleLabel, mangleName } from '../../src/model/name.ts'

describe('names of VIPs', () => {
  test.for([
    ['/group/app', 'groupapp'],
    ['/a/bc', 'abc'],
    ['/ab/c', 'abc'],
    ['My_App.v2', 'my-app.v2'],
    ['-x-', 'x'],
    ['/api.hello', 'api.hello'],
    ['marathon', 'marathon'],
    ['..a..b..', 'a.b'],
    ['/', ''],
    ['-.-', ''],
    [`${'a'.repeat(70)}.b`, `${'a'.repeat(63)}.b`],
  ] as const)('%s is mangled to %s', ([text, mangled]) => {
    expect(mangleName(text)).toBe(mangled)
  })
})

describe('names of tasks', () => {
  test.for([
    ['app.group', 'app-group'],
    ['My_App.v2', 'my-app-v2'],
    ['-x-', 'x'],
    ['_.-a-._', 'a'],
    ['a/b', 'ab'],
    ['a--b', 'a--b'],
    ['Größe', 'gre'],
    // Cut to 63, then stripped again.
    [`${'a'.repeat(62)}-b`, 'a'.repeat(62)],
    [`--${'a'.repeat(70)}`, 'a'.repeat(63)],
  ] as const)('%s is mangled to %s', ([text, mangled]) => {
    expect(mangleLabel(text)).toBe(mangled)
  })
})

const text = fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[A-Za-z0-9._/-]{0,90}$/))

test('a mangled label is one that DNS takes, and mangling it again changes nothing', () => {
  fc.assert(
    fc.property(text, (raw) => {
      const label = mangleLabel(raw)
      expect(label).toMatch(/^$|^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)
      expect(mangleLabel(label)).toBe(label)
    }),
    { numRuns: 1000 },
  )
})

test('a mangled name is made of such labels, and mangling it again changes nothing', () => {
  fc.assert(
    fc.property(text, (raw) => {
      const name = mangleName(raw)
      expect(name === '' || name.split('.').every((label) => mangleLabel(label) === label)).toBe(
        true,
      )
      expect(name).not.toMatch(/^\.|\.\.|\.$/)
      expect(mangleName(name)).toBe(name)
    }),
    { numRuns: 1000 },
  )
})

import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { importsOf, layoutViolations } from './layer-rules.ts'

const SRC = join(import.meta.dirname, '../../src')

test('src keeps to its layers', () => {
  const paths = globSync('**/*.{ts,tsx,js,mjs,cjs}', { cwd: SRC })
  expect(paths.length).toBeGreaterThan(20)
  const sources = new Map(paths.map((path) => [path, readFileSync(join(SRC, path), 'utf8')]))
  expect(layoutViolations(sources)).toEqual([])
})

describe('the check of the layers', () => {
  const violations = [
    [
      'an upward import',
      'base/a.ts',
      "import { x } from '../kernel/x.ts'",
      'base imports upward from kernel',
    ],
    [
      'an upward import of a type',
      'model/a.ts',
      "import type { X } from '../base/x.ts'",
      'model imports upward from base',
    ],
    [
      'an upward re-export',
      'dns/dns.ts',
      "export { x } from '../daemon/compose.ts'",
      'dns imports upward from daemon',
    ],
    [
      'an upward dynamic import',
      'admin/a.ts',
      "const x = await import('../bin/navstar.ts')",
      'admin imports upward from bin',
    ],
    [
      'an import over lines',
      'base/a.ts',
      "import {\n  x,\n  y,\n} from '../dns/dns.ts'",
      'base imports upward from dns',
    ],
    [
      'an import for its effect',
      'base/a.ts',
      "import '../dns/dns.ts'",
      'base imports upward from dns',
    ],
    [
      'a sideways import',
      'dns/a.ts',
      "import { x } from '../l4lb/l4lb.ts'",
      'dns imports sideways from l4lb',
    ],
    [
      'a sideways import from a folder inside',
      'l4lb/planes/ebpf/a.ts',
      "import { x } from '../../../dns/dns.ts'",
      'l4lb imports sideways from dns',
    ],
    [
      'config and admin side by side',
      'admin/a.ts',
      "import { x } from '../config/config.ts'",
      'admin imports sideways from config',
    ],
    [
      'an inner file',
      'daemon/compose.ts',
      "import { x } from '../dns/zone.ts'",
      'imports the inner file dns/zone.ts',
    ],
    [
      'an inner file of a folder inside',
      'daemon/compose.ts',
      "import { x } from '../l4lb/planes/l4lb.ts'",
      'imports the inner file l4lb/planes/l4lb.ts',
    ],
    ['node: in model', 'model/a.ts', "import { isIP } from 'node:net'", 'model imports node:net'],
    [
      'a test',
      'dns/a.ts',
      "import { x } from '../../test/dns/packets.ts'",
      'imports ../test/dns/packets.ts from outside of src',
    ],
    [
      'native code from a capability',
      'dns/a.ts',
      "import { x } from '../../native/addon/native.js'",
      'imports ../native/addon/native.js from outside of src',
    ],
    ['an empty name', 'dns/utils.ts', '', 'the name utils.ts says nothing'],
    ['an empty name with more', 'dns/dns-helper.ts', '', 'the name dns-helper.ts says nothing'],
    ['an empty folder name', 'l4lb/common/a.ts', '', 'the name common says nothing'],
    ['a manager', 'l4lb/vip-manager.ts', '', 'the name vip-manager.ts says nothing'],
    ['an unknown folder', 'lib/a.ts', '', 'folder lib has no layer'],
    ['a file outside of every folder', 'index.ts', '', 'a file must be in a folder of src'],
  ] as const
  test.for(violations)('finds %s', ([, path, text, violation]) => {
    expect(layoutViolations(new Map([[path, text]]))).toEqual([`${path}: ${violation}`])
  })

  const sound = [
    ['a downward import', 'dns/a.ts', "import { x } from '../base/x.ts'"],
    ['an import of its own', 'l4lb/planes/a.ts', "import { x } from '../slots.ts'"],
    ['the entry of a capability', 'daemon/compose.ts', "import { x } from '../dns/dns.ts'"],
    ['its options', 'config/config.ts', "import type { X } from '../dns/config.ts'"],
    ['its metrics', 'daemon/compose.ts', "import type { X } from '../dns/metrics.ts'"],
    ['the daemon in the demo', 'demo/demo.ts', "import { x } from '../daemon/compose.ts'"],
    [
      'the addon in its façade',
      'kernel/native.ts',
      "import type { X } from '../../native/addon/native.d.ts'",
    ],
    ['node: elsewhere', 'base/a.ts', "import { x } from 'node:net'"],
    [
      'a comment',
      'base/a.ts',
      "// import { x } from '../dns/dns.ts'\n/* import '../dns/dns.ts' */",
    ],
    ['a word that contains another', 'dns/uncommon.ts', ''],
  ] as const
  test.for(sound)('lets %s pass', ([, path, text]) => {
    expect(layoutViolations(new Map([[path, text]]))).toEqual([])
  })

  test('sees every import of a source', () => {
    const text = [
      "import { a } from './a.ts'",
      "import type { B } from './b.ts'",
      "import * as c from './c.ts'",
      "export * from './d.ts'",
      "export const e = 'from'",
      "const f = import('./f.ts')",
    ].join('\n')
    expect(importsOf(text)).toEqual(['./a.ts', './b.ts', './c.ts', './d.ts', './f.ts'])
  })
})

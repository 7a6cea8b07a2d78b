import { describe, expect, test } from 'vitest'
import type { Command } from '../../src/bin/command.ts'
import { CONFIG_FLAGS, parseFlags } from '../../src/bin/flags.ts'
import { commandHelp, overview } from '../../src/bin/help.ts'
import { OPTIONS } from '../../src/config/options.ts'

const COMMAND: Command = {
  name: 'paint',
  summary: 'Paint it',
  description: 'Paints what there is.',
  flags: [
    { name: 'colour', placeholder: 'NAME', help: 'Of the paint', defaultText: 'red' },
    { name: 'json', help: 'Print JSON' },
  ],
  run: async () => 0,
}

describe('help', () => {
  test('lists the commands in columns', () => {
    const text = overview([COMMAND, { ...COMMAND, name: 'whitewash', summary: 'All of it' }])
    expect(text).toContain('  paint      Paint it\n  whitewash  All of it\n')
    expect(text).toContain('Exit codes: 0 fine, 1 something is wrong, 64 wrong usage')
  })

  test('of a command shows its flags with their defaults', () => {
    expect(commandHelp(COMMAND)).toBe(
      [
        'Usage: navstar paint [OPTIONS]',
        '',
        'Paints what there is.',
        '',
        '  --colour NAME  Of the paint (default red)',
        '  --json         Print JSON',
      ].join('\n'),
    )
    expect(commandHelp({ ...COMMAND, flags: [] })).toBe(
      'Usage: navstar paint\n\nPaints what there is.',
    )
  })

  test('names every option of the daemon, on lines that fit a wide terminal', () => {
    const text = commandHelp({ ...COMMAND, flags: CONFIG_FLAGS })
    for (const { name, help } of Object.values(OPTIONS)) {
      expect(text).toContain(`--${name} `)
      expect(text).toContain(help)
    }
    for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(140)
  })
})

describe('flags', () => {
  test('are values and switches', () => {
    const { values, switches } = parseFlags(COMMAND, ['--colour', 'blue', '--json'])
    expect(values).toEqual({ colour: 'blue' })
    expect([...switches]).toEqual(['json'])
    expect(parseFlags(COMMAND, ['--colour=']).values).toEqual({ colour: '' })
  })

  test.each([[['--color', 'blue']], [['--colour']], [['--json=yes']], [['-x']], [['blue']]])(
    '%j is wrong usage',
    (args) => {
      expect(() => parseFlags(COMMAND, args)).toThrow(
        expect.objectContaining({ code: 'CONFIG_INVALID', hint: 'See navstar paint --help.' }),
      )
    },
  )
})

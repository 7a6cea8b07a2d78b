import { expect, test } from 'vitest'
import { NavstarError } from '../../src/base/error.ts'
import { LOG_LEVELS, type LogLevel, openLog, silentLog } from '../../src/base/log.ts'

function openMemoryLog(level: LogLevel) {
  const lines: Record<string, unknown>[] = []
  const log = openLog(level, { write: (line: string) => lines.push(JSON.parse(line)) })
  return { log, lines }
}

test('a line is JSON with a constant message and its fields', () => {
  const { log, lines } = openMemoryLog('info')
  log.info('state changed', { vips: 3 })
  expect(lines).toMatchObject([{ msg: 'state changed', vips: 3, time: expect.any(String) }])
})

test.for(LOG_LEVELS.map((level, index) => [level, index] as const))(
  'the level %s leaves out the ones below',
  ([level, below]) => {
    const { log, lines } = openMemoryLog(level)
    for (const name of LOG_LEVELS) log[name](name)
    expect(lines.map(({ msg }) => msg)).toEqual(LOG_LEVELS.slice(below))
  },
)

test('a child names its component', () => {
  const { log, lines } = openMemoryLog('debug')
  log.child('dns').warn('degraded')
  expect(lines).toMatchObject([{ component: 'dns', msg: 'degraded' }])
})

test('an error is shown with code, hint and effect', () => {
  const { log, lines } = openMemoryLog('debug')
  log.error('failed', { error: new NavstarError('TASK_INVALID', { attempt: 'read task t' }) })
  log.error('failed', { error: new Error('plain') })
  expect(lines).toMatchObject([
    { error: { code: 'TASK_INVALID', effect: 'none', hint: expect.any(String) } },
    { error: { message: 'plain', stack: expect.any(String) } },
  ])
})

test('the silent log keeps nothing', () => {
  for (const name of LOG_LEVELS) expect(silentLog[name]('x')).toBeUndefined()
  expect(silentLog.child('dns')).toBe(silentLog)
})

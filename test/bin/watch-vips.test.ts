import { expect, test } from 'vitest'
import { VirtualClock } from '../../src/base/virtual-clock.ts'
import { watchVips } from '../../src/bin/watch-vips.ts'
import type { VipsView, VipView } from '../../src/daemon/vip-resources.ts'

const WEB: VipView = {
  name: 'web.marathon.example',
  protocol: 'tcp',
  address: '11.0.0.37:80',
  state: 'pending',
  backends: [{ address: '10.0.0.1:31000', weight: 1, state: 'active' }],
}

function viewOf(...vips: readonly VipView[]): VipsView {
  return { plane: 'ebpf', isComplete: true, vips, problems: [] }
}

/** Watches a daemon that answers these, one after the other, then the last one for ever. */
async function watch(answers: readonly (VipsView | Error)[], isJson = false): Promise<string[]> {
  const clock = new VirtualClock()
  const stop = new AbortController()
  const lines: string[] = []
  let asked = 0
  const ask = async () => {
    const answer = answers[Math.min(asked++, answers.length - 1)]
    if (answer === undefined || answer instanceof Error) throw answer
    return answer
  }
  const print = (line: string) => void lines.push(line)
  const watching = watchVips({ ask, print, isJson, clock, signal: stop.signal })
  await clock.advance(1000)
  stop.abort()
  await watching.catch(() => undefined)
  return lines
}

/** Without the times. */
function changes(lines: readonly string[]): string[] {
  return lines.map((line) => line.replace(/^\S+ /, ''))
}

const HEAD = 'tcp 11.0.0.37:80 web.marathon.example'

test('what there is comes first, then each change once', async () => {
  const served = { ...WEB, state: 'served' }
  const drained = {
    ...served,
    backends: [
      { address: '10.0.0.1:31000', weight: 0, state: 'draining' },
      { address: '10.0.0.2:31000', weight: 1, state: 'active' },
    ],
  }
  const lines = await watch([viewOf(WEB), viewOf(served), viewOf(drained), viewOf()])
  expect(changes(lines)).toEqual([
    `+ ${HEAD}  pending`,
    `+ ${HEAD} backend 10.0.0.1:31000  active`,
    `~ ${HEAD}  served`,
    `~ ${HEAD} backend 10.0.0.1:31000  draining`,
    `+ ${HEAD} backend 10.0.0.2:31000  active`,
    `- ${HEAD}  served`,
    `- ${HEAD} backend 10.0.0.1:31000  draining`,
    `- ${HEAD} backend 10.0.0.2:31000  active`,
  ])
})

test('a daemon that restarts is waited for, and its silence told once', async () => {
  const lines = await watch([viewOf(WEB), new Error('gone'), new Error('gone'), viewOf(WEB)])
  expect(changes(lines).slice(2)).toEqual(['! gone'])
})

test('with JSON a line is an object', async () => {
  const [line = ''] = await watch([viewOf(WEB)], true)
  expect(JSON.parse(line)).toEqual({
    time: '2023-11-14T22:13:20.000Z',
    change: 'added',
    what: HEAD,
    state: 'pending',
  })
})

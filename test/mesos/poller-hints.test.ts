import { describe, expect, test } from 'vitest'
import { setUp, unreachable } from './polled-agent.ts'

describe('a hint', () => {
  async function running() {
    const { agent, poller } = setUp()
    const abort = new AbortController()
    const run = poller.run(abort.signal).catch(() => undefined)
    const stop = async () => {
      abort.abort()
      await run
    }
    await agent.clock.advance(1000)
    const last = () => agent.askedAtMs.at(-1) ?? 0
    // a moment after a regular poll
    while (agent.clock.nowMs() - last() < 30) await agent.clock.advance(5)
    while (agent.clock.nowMs() - last() > 60) await agent.clock.advance(5)
    while (agent.clock.nowMs() - last() < 30) await agent.clock.advance(5)
    return { agent, poller, stop, last }
  }

  test('makes the agent be read at once', async () => {
    const { agent, poller, stop, last } = await running()
    const nowMs = agent.clock.nowMs()
    poller.pollSoon()
    await agent.clock.advance(1)
    expect(last()).toBe(nowMs)
    await stop()
  })

  test('comes in storms: the agent is read each 25 ms, and once more after the last', async () => {
    const { agent, poller, stop } = await running()
    agent.askedAtMs.splice(0)
    for (let hint = 0; hint < 1000; hint++) {
      poller.pollSoon()
      await agent.clock.advance(1)
    }
    const lastHintMs = agent.clock.nowMs() - 1
    expect(agent.askedAtMs.length).toBeGreaterThanOrEqual(40)
    expect(Math.min(...agent.waitsMs)).toBeGreaterThanOrEqual(25)
    await agent.clock.advance(30)
    expect(agent.askedAtMs.at(-1)).toBeGreaterThanOrEqual(lastHintMs)
    await stop()
  })

  test('that comes during the rest after a poll leads to one poll', async () => {
    const { agent, poller, stop } = await running()
    poller.pollSoon()
    await agent.clock.advance(1)
    agent.askedAtMs.splice(0)
    for (let hint = 0; hint < 5; hint++) poller.pollSoon()
    await agent.clock.advance(200)
    expect(agent.askedAtMs).toHaveLength(1)
    await stop()
  })

  test('does not make a silent agent be asked more often than a healthy one without hints', async () => {
    const { agent, poller, stop } = await running()
    agent.state = unreachable()
    agent.askedAtMs.splice(0)
    for (let hint = 0; hint < 5000; hint++) {
      poller.pollSoon()
      await agent.clock.advance(1)
    }
    expect(agent.askedAtMs.length).toBeLessThanOrEqual(22)
    expect(agent.askedAtMs.length).toBeGreaterThan(10)
    await stop()
  })
})

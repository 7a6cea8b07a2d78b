import { describe, expect, test } from 'vitest'
import { silentLog } from '../../../src/base/log.ts'
import { VirtualClock } from '../../../src/base/virtual-clock.ts'
import type { LookupHost } from '../../../src/mesos/agent-address.ts'
import { type HostNameLimits, HostNames } from '../../../src/mesos/master/host-names.ts'
import { Followed } from './followed.ts'
import { type ScriptedMaster, stateMessage, subscribedEvent } from './scripted-master.ts'

const LIMITS: HostNameLimits = {
  maxInFlight: 2,
  maxNames: 3,
  maxWaiting: 4,
  foundTtlMs: 300_000,
  failedTtlMs: 30_000,
}

/** A resolver that answers when the test says so. */
class Resolver {
  readonly asked: string[] = []
  readonly #pending = new Map<string, PromiseWithResolvers<readonly string[]>>()
  readonly lookupHost: LookupHost = (hostname) => {
    this.asked.push(hostname)
    const answer = Promise.withResolvers<readonly string[]>()
    this.#pending.set(hostname, answer)
    return answer.promise
  }

  async answer(hostname: string, ...addresses: readonly string[]): Promise<void> {
    if (addresses.length === 0) this.#pending.get(hostname)?.reject(new Error('ENOTFOUND'))
    else this.#pending.get(hostname)?.resolve(addresses)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

function open() {
  const clock = new VirtualClock()
  const resolver = new Resolver()
  const { lookupHost } = resolver
  const names = new HostNames({ lookupHost, clock, log: silentLog, limits: LIMITS })
  const told: string[] = []
  const ask = (hostname: string) => names.whenKnown(hostname, (address) => told.push(address))
  return { clock, resolver, names, told, ask }
}

describe('host names of agents', () => {
  test('are looked up once for all who wait, and again when they are stale', async () => {
    const { clock, resolver, told, ask } = open()
    for (let times = 0; times < 3; times++) ask('a')
    await resolver.answer('a', '127.0.1.1', 'fd01::1', '10.0.0.1')
    expect(told).toEqual(new Array(3).fill('10.0.0.1'))
    await clock.advance(299_000)
    ask('a')
    expect([told.length, resolver.asked]).toEqual([4, ['a']])
    await clock.advance(2000)
    ask('a')
    await resolver.answer('a', '10.0.0.2')
    expect(told.at(-1)).toBe('10.0.0.2')
  })

  test('that are addresses need no look-up', () => {
    const { resolver, told, ask } = open()
    ask('10.0.0.9')
    expect([told, resolver.asked]).toEqual([['10.0.0.9'], []])
  })

  test.for([
    ['do not resolve', []],
    ['resolve to loopback only', ['127.0.1.1', '::1']],
    ['resolve to junk', ['junk']],
  ] as const)('that %s are left alone for half a minute', async ([, addresses]) => {
    const { clock, resolver, names, told, ask } = open()
    ask('a')
    await resolver.answer('a', ...addresses)
    ask('a')
    expect([told, resolver.asked, names.counts]).toEqual([[], ['a'], { names: 1, waiting: 0 }])
    await clock.advance(31_000)
    ask('a')
    await resolver.answer('a', '10.0.0.1')
    expect(told).toEqual(['10.0.0.1'])
  })

  test('are looked up two at a time', async () => {
    const { resolver, ask } = open()
    for (const name of ['a', 'b', 'c', 'd']) ask(name)
    expect(resolver.asked).toEqual(['a', 'b'])
    await resolver.answer('b', '10.0.0.2')
    expect(resolver.asked).toEqual(['a', 'b', 'c'])
    await resolver.answer('a')
    expect(resolver.asked).toEqual(['a', 'b', 'c', 'd'])
  })

  test('take no more room than they may: the longest unused goes, further callers are not told', async () => {
    const { resolver, names, told, ask } = open()
    for (const name of ['a', 'b', 'c', 'd', 'e']) ask(name)
    expect(names.counts.waiting).toBe(4)
    for (const name of ['a', 'b', 'c']) await resolver.answer(name, '10.0.0.1')
    ask('a')
    await resolver.answer('d', '10.0.0.4')
    expect([told.length, names.counts]).toEqual([5, { names: 3, waiting: 0 }])
    ask('a')
    expect(resolver.asked).toEqual(['a', 'b', 'c', 'd'])
    ask('b')
    expect(resolver.asked.at(-1)).toBe('b')
  })

  test('tell nobody any more once they are closed', async () => {
    const { resolver, names, told, ask } = open()
    ask('a')
    names.close()
    await resolver.answer('a', '10.0.0.1')
    ask('b')
    expect([told, resolver.asked, names.counts]).toEqual([[], ['a'], { names: 0, waiting: 0 }])
  })
})

describe('an agent of which the master tells a host name only', () => {
  const AGENT = { agent_info: { hostname: 'node-7.example', id: { value: 'S7' }, port: 5051 } }
  const STATE = { ...stateMessage([], { web: 7 }), get_agents: { agents: [AGENT] } }
  const NAMES: Readonly<Record<string, string>> = { 'node-7.example': '10.0.0.7' }
  const lookupHost: LookupHost = async (name) => [NAMES[name] ?? '']

  async function follow(state: object): Promise<[Followed, ScriptedMaster]> {
    const followed = new Followed()
    const master = await followed.master()
    followed.start(master.address, {}, lookupHost)
    await followed.subscribed(master)
    master.stream.send([subscribedEvent(state)])
    await expect.poll(() => followed.stream.state).toBe('current')
    return [followed, master]
  }

  const updated = (task: string, state: string) => {
    const status = { task_id: { value: task }, agent_id: { value: 'S7' }, state }
    const task_updated = { framework_id: { value: 'f' }, status, state }
    return { type: 'TASK_UPDATED', task_updated }
  }

  test.for([
    ['is registered', STATE],
    [
      'is awaited after a fail-over',
      { ...STATE, get_tasks: {}, get_agents: { recovered_agents: [AGENT.agent_info] } },
    ],
  ] as const)('gets hints where its name leads when it %s', async ([, state]) => {
    const [followed, master] = await follow(state)
    expect(followed.hints).toEqual([])
    master.stream.send([updated('web', 'TASK_KILLING')])
    await expect.poll(() => followed.hints).toEqual(['10.0.0.7'])
    await followed.close()
  })

  test('is gone at the address where its name leads', async () => {
    const [followed, master] = await follow(STATE)
    master.stream.send([{ type: 'AGENT_REMOVED', agent_removed: { agent_id: { value: 'S7' } } }])
    await expect.poll(() => followed.gone).toEqual(['S7 10.0.0.7'])
    await followed.close()
  })
})

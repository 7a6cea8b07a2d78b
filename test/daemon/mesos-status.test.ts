import { describe, expect, test } from 'vitest'
import { NavstarError } from '../../src/base/error.ts'
import { mesosStatusView } from '../../src/daemon/mesos-status.ts'
import type { MastersStatus, MesosStatus } from '../../src/mesos/mesos.ts'
import type { Port } from '../../src/model/port.ts'

const SINCE_MS = Date.UTC(2026, 0, 31)
const SINCE = '2026-01-31T00:00:00.000Z'
const AGENT: MesosStatus = {
  lastSuccessMs: 5,
  staleSinceWallMs: undefined,
  consecutiveFailures: 0,
  lastError: undefined,
  skipped: [],
}
const leader = { address: '10.0.0.9', port: 5050 as Port, isTls: false }
const MASTERS: MastersStatus = {
  leader: {
    source: 'zk://a:2181/mesos',
    leader,
    state: 'current',
    sinceWallMs: 1,
    leaderSinceWallMs: 1,
    skipped: new Map(),
  },
  stream: {
    state: 'current',
    leader,
    contentType: 'application/x-protobuf',
    staleSinceWallMs: undefined,
    lastError: undefined,
    events: {},
    malformed: 0,
    lastAuditWallMs: undefined,
    wasCurrent: true,
    auditProblem: undefined,
    lastEventWallMs: undefined,
  },
  agents: 3,
  tasks: 7,
}
const error = new NavstarError('MESOS_UNREACHABLE', { attempt: 'test' })

const AGENT_URL = 'http://u:secret@10.0.0.1:5051'

function viewOf(
  status: MesosStatus,
  masters?: MastersStatus,
  agentUrl: string | undefined = AGENT_URL,
) {
  const followed = masters && { status: () => masters }
  return mesosStatusView({ agentUrl, status, masters: followed })
}

describe('the status of Mesos', () => {
  test('without masters is the agent’s, without its password', () => {
    expect(viewOf(AGENT)).toEqual({
      sources: [{ source: 'agent', from: '10.0.0.1:5051', state: 'current' }],
      skipped: [],
    })
  })

  test('says what is current of the masters', () => {
    expect(viewOf(AGENT, MASTERS)).toMatchObject({
      sources: [
        { source: 'agent', state: 'current' },
        { source: 'leader', from: 'zk://a:2181/mesos', state: 'current' },
        { source: 'stream', from: '10.0.0.9:5050', state: 'current' },
      ],
      master: { agents: 3, tasks: 7 },
    })
  })

  test('says since when an agent is silent, and why', () => {
    const silent = { ...AGENT, staleSinceWallMs: SINCE_MS, lastError: error }
    const problem = { code: 'MESOS_UNREACHABLE' }
    expect(viewOf(silent).sources).toMatchObject([{ state: 'stale', since: SINCE, problem }])
    const gone = { agent: 'a-S1', by: 'node b' }
    expect(viewOf({ ...silent, goneAgent: gone }).sources).toMatchObject([{ state: 'stale', gone }])
    const never = { ...silent, lastSuccessMs: undefined }
    expect(viewOf(never).sources).toMatchObject([{ state: 'searching', since: SINCE, problem }])
  })

  test('says since when ZooKeeper and the stream are away', () => {
    const away: MastersStatus = {
      ...MASTERS,
      leader: { ...MASTERS.leader, state: 'stale', sinceWallMs: SINCE_MS, problem: error },
      stream: {
        ...MASTERS.stream,
        state: 'connecting',
        staleSinceWallMs: SINCE_MS,
        lastError: error,
      },
    }
    const problem = { code: 'MESOS_UNREACHABLE' }
    expect(viewOf(AGENT, away).sources.slice(1)).toMatchObject([
      { source: 'leader', state: 'stale', since: SINCE, problem },
      { source: 'stream', state: 'stale', since: SINCE, problem },
    ])
  })

  test('of a stream that never came says that it is searched for', () => {
    const none: MastersStatus = {
      ...MASTERS,
      stream: {
        ...MASTERS.stream,
        state: 'waiting',
        leader: undefined,
        wasCurrent: false,
        contentType: undefined,
        staleSinceWallMs: SINCE_MS,
      },
    }
    expect(viewOf(AGENT, none).sources[2]).toEqual({
      source: 'stream',
      from: 'no leader',
      state: 'searching',
      since: SINCE,
    })
  })

  test('of a node without an agent says so', () => {
    const followed = { status: () => MASTERS }
    const parts = { agentUrl: undefined, status: AGENT, masters: followed }
    expect(mesosStatusView(parts).sources[0]).toEqual({
      source: 'agent',
      from: 'none',
      state: 'absent',
    })
  })

  const DEFAULT_URL = 'http://127.0.0.1:5051'
  test.each([
    { how: 'refused at the default address', url: DEFAULT_URL, code: 'ECONNREFUSED', is: true },
    { how: 'refused elsewhere', url: AGENT_URL, code: 'ECONNREFUSED' },
    { how: 'reset', url: DEFAULT_URL, code: 'ECONNRESET' },
    { how: 'refused after it was there', url: DEFAULT_URL, code: 'ECONNREFUSED', seenMs: 5 },
  ])('of an agent that is $how says whether it may be meant so', ({ url, code, seenMs, is }) => {
    const cause = Object.assign(new Error(`connect ${code}`), { code })
    const outer = new NavstarError('MESOS_UNREACHABLE', { attempt: 'test', cause })
    const status = { lastSuccessMs: seenMs, staleSinceWallMs: SINCE_MS, lastError: outer }
    const [agent] = viewOf({ ...AGENT, ...status }, undefined, url).sources
    expect(agent?.mayBeAbsent).toBe(is)
    expect(agent?.reason).toBe(`connect ${code}`)
  })

  test('says since when nobody leads', () => {
    const nobody = { ...MASTERS.leader, leader: undefined, leaderSinceWallMs: SINCE_MS }
    expect(viewOf(AGENT, { ...MASTERS, leader: nobody }).sources[1]).toEqual({
      source: 'leader',
      from: 'zk://a:2181/mesos',
      state: 'missing',
      since: SINCE,
    })
  })

  test('says that a state is on the way, and that audits fail', () => {
    const receiving = { state: 'receiving', staleSinceWallMs: SINCE_MS } as const
    const coming = { ...MASTERS, stream: { ...MASTERS.stream, ...receiving } }
    expect(viewOf(AGENT, coming).sources[2]).toMatchObject({ state: 'stale', isReceiving: true })
    const auditProblem = { sinceWallMs: SINCE_MS, error }
    const failing = { ...MASTERS, stream: { ...MASTERS.stream, auditProblem } }
    expect(viewOf(AGENT, failing).sources[2]).toMatchObject({
      state: 'current',
      audit: { since: SINCE, problem: { code: 'MESOS_UNREACHABLE' } },
    })
  })
})

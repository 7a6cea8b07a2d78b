import { Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { VirtualClock } from '../../src/base/virtual-clock.ts'
import type { MasterAddress } from '../../src/mesos/master/master-address.ts'
import { type FollowedMasters, type MesosStatus, watchSources } from '../../src/mesos/mesos.ts'
import { leaderMetrics } from '../../src/mesos/metrics.ts'

const MASTER = { address: '10.0.0.9', port: 5050, isTls: false } as MasterAddress
type Status = ReturnType<FollowedMasters['status']>

async function linesOf(registry: Registry): Promise<readonly string[]> {
  const text = await registry.metrics()
  return text.split('\n').filter((line) => line.startsWith('navstar_'))
}

test('elections, changes, problems and lost sessions are counted apart', async () => {
  const registry = new Registry()
  const { onChange, onProblem, onSkipped, onStale, onSessionLost } = leaderMetrics(registry)
  onChange(MASTER)
  onSessionLost()
  onProblem('ZOOKEEPER_UNREACHABLE')
  onStale(true)
  onStale(false)
  onStale(true)
  onChange(undefined)
  onChange(MASTER)
  onSkipped('MASTER_INVALID')
  expect(await linesOf(registry)).toEqual([
    'navstar_mesos_leader_changes_total 3',
    'navstar_mesos_leader_elections_total 2',
    'navstar_mesos_leader_stale 1',
    'navstar_mesos_leader_problems_total{code="ZOOKEEPER_UNREACHABLE"} 1',
    'navstar_mesos_leader_skipped_total{code="MASTER_INVALID"} 1',
    'navstar_mesos_zookeeper_session_losses_total 1',
  ])
})

test('staleness grows while a source is away, and is nothing while it is current', async () => {
  const clock = new VirtualClock()
  const registry = new Registry()
  const startMs = clock.wallMs()
  const agent = { staleSinceWallMs: startMs as number | undefined }
  const leader = {
    state: 'current',
    leader: MASTER as MasterAddress | undefined,
    sinceWallMs: startMs,
    leaderSinceWallMs: startMs + 1500,
  }
  const stream = { staleSinceWallMs: startMs, lastEventWallMs: undefined as number | undefined }
  watchSources({
    options: { agentUrl: 'http://127.0.0.1:5051' },
    mesos: { status: () => agent as MesosStatus },
    masters: { status: () => ({ leader, stream }) as Status },
    ...{ clock, registry },
  })
  await clock.advance(2500)
  expect(await linesOf(registry)).toEqual([
    'navstar_mesos_stale_seconds{source="agent"} 2.5',
    'navstar_mesos_stale_seconds{source="leader"} 0',
    'navstar_mesos_stale_seconds{source="stream"} 2.5',
    'navstar_mesos_master_silence_seconds 2.5',
  ])
  agent.staleSinceWallMs = undefined
  leader.state = 'stale'
  stream.lastEventWallMs = startMs + 2000
  expect(await linesOf(registry)).toEqual([
    'navstar_mesos_stale_seconds{source="agent"} 0',
    'navstar_mesos_stale_seconds{source="leader"} 2.5',
    'navstar_mesos_stale_seconds{source="stream"} 2.5',
    'navstar_mesos_master_silence_seconds 0.5',
  ])
  Object.assign(leader, { state: 'current', leader: undefined })
  expect(await linesOf(registry)).toContain('navstar_mesos_stale_seconds{source="leader"} 1')
})

/** What a node reads from its own agent: containers, labels, health and clocks as they are. */
import { describe, expect, test } from 'vitest'
import type { SimulatedTask } from '../../../src/demo/agent/task.ts'
import { MESOS_VERSIONS } from '../../../src/demo/mesos/rules.ts'
import { ODD_LABELS, vipsWith } from '../../sim/mesos/odd-labels.ts'
import { MesosStage } from './stage.ts'

/** A pod of two tasks behind one address. */
function pod(network: 'host' | 'bridge' | 'container'): readonly SimulatedTask[] {
  const addresses = network === 'host' ? {} : { addresses: ['9.0.0.7'] }
  return ['front', 'back'].map((name, index) => {
    const hostPort = network === 'bridge' ? { hostPort: 31_000 + index } : {}
    const ports = [{ port: 8080 + index, vips: [`/${name}:80`], ...hostPort }]
    return { name, id: name, pod: 'instance-1', network, ...addresses, ports }
  })
}

describe.for(MESOS_VERSIONS)('readings of Mesos %s', (version) => {
  test.for(['host', 'bridge', 'container'] as const)(
    'pods: tasks of one executor have the networks of its container (%s)',
    (network) => {
      const stage = new MesosStage({ version })
      const keys = stage.launchGroup(pod(network))
      stage.expectTruth()
      const address = network === 'host' ? '10.0.0.0' : '9.0.0.7'
      expect(keys.map((key) => stage.read(key)?.addresses)).toEqual([[address], [address]])
      const hostPorts = keys.map((key) => stage.read(key)?.ports[0]?.hostPort)
      expect(hostPorts).toEqual(network === 'bridge' ? [31_000, 31_001] : [undefined, undefined])
    },
  )

  test('a pod that only starts has no address; one task that fails ends the others', () => {
    const stage = new MesosStage({ version })
    const pace = { startingMs: 100, runningMs: 60_000 }
    const keys = stage.launchGroup(pod('container'), { pace })
    expect(keys.map((key) => stage.read(key)?.addresses)).toEqual([[], []])
    stage.run(70)
    stage.expectTruth()
    stage.report(keys[0] ?? '', 'TASK_FAILED')
    stage.run(1)
    stage.expectTruth()
    expect(keys.map((key) => [stage.stateOf(key), stage.read(key)])).toEqual(
      keys.map(() => [undefined, undefined]),
    )
  })

  test('the address of a bridged Docker task comes only with TASK_RUNNING', () => {
    const stage = new MesosStage({ version })
    const spec = { name: 'web', id: 'web', runtime: 'docker', network: 'bridge' } as const
    const pace = { startingMs: 100, runningMs: 60_000 }
    const ports = [{ port: 80, hostPort: 31_000 }]
    const [key = ''] = stage.launchGroup([{ ...spec, addresses: ['172.17.0.2'], ports }], { pace })
    expect(stage.read(key)).toMatchObject({ phase: 'other', addresses: [] })
    stage.run(70)
    stage.expectTruth()
    expect(stage.read(key)).toMatchObject({ phase: 'running', addresses: ['172.17.0.2'] })
  })

  test('health: none yet, bad, good, and flapping; a drain keeps the last result', () => {
    const stage = new MesosStage({ version })
    const [key = ''] = stage.launchGroup([{ name: 'web', id: 'web', hasHealthCheck: true }])
    expect(stage.read(key)?.health).toBe('unchecked')
    for (const isHealthy of [false, true, false, true, false]) {
      stage.health(key, isHealthy)
      expect(stage.read(key)?.health).toBe(isHealthy ? 'healthy' : 'unhealthy')
    }
    stage.scene.cluster.kill(key, 3_600_000)
    stage.run(10)
    expect(stage.read(key)).toMatchObject({ phase: 'killing', health: 'unhealthy' })
    stage.expectTruth()
  })

  test('a redeploy with another VIP: both for a while, then the new one', () => {
    const stage = new MesosStage({ version })
    const launch = (id: string, vip: string) =>
      stage.launchGroup([{ name: 'web', id, ports: [{ port: 8080, vips: [vip] }] }])[0] ?? ''
    const old = launch('web.1', '/old:80')
    const young = launch('web.2', '/new:80')
    const vips = () => [old, young].map((key) => stage.read(key)?.ports[0]?.vips)
    expect(vips()).toEqual([['/old:80'], ['/new:80']])
    stage.scene.cluster.kill(old)
    stage.run(10)
    stage.expectTruth()
    expect(vips()).toEqual([undefined, ['/new:80']])
  })

  test('clocks of agents and masters that go back and forth change nothing', () => {
    const stage = new MesosStage({ version })
    const pace = { startingMs: 100, runningMs: 60_000 }
    const spec = { name: 'web', id: 'web', network: 'container', addresses: ['9.0.0.5'] } as const
    const [key = ''] = stage.launchGroup([{ ...spec, runtime: 'docker', hasHealthCheck: true }], {
      pace,
    })
    stage.agent(0).clockOffsetMs = -3_600_000
    stage.run(70)
    stage.expectTruth()
    expect(stage.read(key)).toMatchObject({ phase: 'running', addresses: ['9.0.0.5'] })
    for (const [index, offsetMs] of [-7_200_000, 86_400_000, -86_400_000].entries()) {
      stage.agent(0).clockOffsetMs = offsetMs
      stage.scene.cluster.masterClockOffsetMs = -offsetMs
      stage.health(key, index % 2 === 0)
      stage.run(60)
      expect(stage.read(key)?.health).toBe(index % 2 === 0 ? 'healthy' : 'unhealthy')
    }
    stage.scene.cluster.cut(stage.agent(0))
    stage.run(100)
    stage.scene.cluster.heal(stage.agent(0))
    stage.run(10)
    stage.scene.cluster.kill(key, 3_600_000)
    stage.run(10)
    stage.expectTruth()
    expect(stage.read(key)).toMatchObject({ phase: 'killing', addresses: ['9.0.0.5'] })
  })

  test.for(['json', 'reversed-json', 'protobuf'] as const)(
    'maps, which are lists in JSON before 1.9, are passed over in %s',
    (encoding) => {
      const stage = new MesosStage({ version, encoding })
      const key = stage.launch('web')
      stage.scene.listener.cut()
      stage.run(5)
      stage.expectTruth()
      expect(stage.stateOf(key)).toBe('TASK_RUNNING')
    },
  )
})

test('only 1.8 writes offer_filters as a list, and only 1.11 has limits', () => {
  const wrote = MESOS_VERSIONS.map((version) => {
    const { cluster } = new MesosStage({ version, encoding: 'json' }).scene
    const text = JSON.stringify(cluster.master?.snapshot, (_key, value) =>
      typeof value === 'bigint' ? Number(value) : (value as unknown),
    )
    return [version, text.includes('offer_filters'), cluster.rules.writesMapsAsLists]
  })
  expect(wrote).toEqual([
    ['1.4', false, true],
    ['1.5', false, true],
    ['1.6', false, true],
    ['1.7', false, true],
    ['1.8', true, true],
    ['1.9', true, false],
    ['1.11', true, false],
  ])
})

describe('labels of ports', () => {
  test.for(ODD_LABELS.map((label) => [JSON.stringify(label).slice(0, 60), label] as const))(
    '%s does no harm to the other VIPs',
    ([, label]) => {
      const stage = new MesosStage()
      const port = { port: 8080, vips: ['/web:80'], oddLabels: [label] }
      const [odd = ''] = stage.launchGroup([{ name: 'web', id: 'odd', ports: [port] }])
      const plain = stage.launch('plain')
      const vips = stage.read(odd)?.ports.flatMap((entry) => entry.vips)
      const expected = vipsWith(['/web:80'], label) ?? []
      expect(new Set(vips)).toEqual(new Set(expected))
      expect(stage.read(plain)?.ports[0]?.vips).toEqual(['/web:80'])
      stage.expectTruth()
    },
  )

  test('all at once, a thousand times each', () => {
    const stage = new MesosStage()
    const isScope = ({ key }: (typeof ODD_LABELS)[number]) => key === 'network-scope'
    const short = ODD_LABELS.filter(
      (label) => !isScope(label) && JSON.stringify(label).length < 200,
    )
    const oddLabels = new Array<typeof short>(1000).fill(short).flat()
    const port = { port: 8080, vips: ['/web:80'], oddLabels }
    stage.launchGroup([{ name: 'web', id: 'odd', ports: [port] }])
    stage.expectTruth()
  })
})

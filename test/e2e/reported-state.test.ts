import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import type { SimulatedTask } from '../../src/demo/agent/task.ts'
import { requireFeature } from '../feature.ts'
import { openCluster, startBackends, type TestCluster } from './cluster.ts'

let cluster: TestCluster | undefined
afterEach(async () => {
  await cluster?.close()
  cluster = undefined
})

const CAPTURES = new URL('../../../shared/data/mesos/', import.meta.url)

describe('an agent that serves a captured state', () => {
  it.for([
    {
      file: 'state/ucr-bridge-mode.d3e3875f.json',
      vips: [
        'tcp foo-1.marathon.l4lb.thisdcos.directory:5000 10.99.0.1:21768 served',
        'tcp foo.marathon.l4lb.thisdcos.directory:5000 172.31.254.2:80 served',
      ],
    },
    { file: 'state/overlay.4490097e.json', vips: ['tcp 1.2.3.4:5000 9.0.1.130:80 served'] },
    { file: 'state/state4.abc58e8b.json', vips: ['tcp 1.2.3.4:5000 10.0.0.243:26645 served'] },
    { file: 'state/state6.a1079d0d.json', vips: ['tcp 1.2.3.4:80 9.0.1.130:80 served'] },
    { file: 'agent-api/get_state-normal.json', vips: [] },
    { file: 'agent-api/get_tasks-networkModes.json', vips: [] },
  ])('makes the VIPs of $file', async ({ file, vips }, ctx) => {
    await requireFeature(ctx, 'root')
    const stateFile = fileURLToPath(new URL(file, CAPTURES))
    if (!existsSync(stateFile)) ctx.skip(`reason: capture ${file} is not beside the repository`)
    cluster = await openCluster({ containers: 0, plane: 'auto', stateFile })
    await cluster.host.startDaemon()
    await cluster.host.waitFor('/v1/navstar/vips', (text) => text.includes('"isComplete":true'))
    const texts = (await cluster.vips()).map(({ name, protocol, address, backends, state }) => {
      const port = address.split(':').at(-1)
      const target = name === undefined ? address : `${name}:${port}`
      return `${protocol} ${target} ${backends.map((backend) => backend.address).join(',')} ${state}`
    })
    expect(texts).toEqual(vips)
  })
})

describe('tasks that cannot be understood', () => {
  const junk: SimulatedTask[] = [
    { name: 'no-port', ports: [{ port: 9001, vips: ['/web'] }] },
    { name: 'word-port', ports: [{ port: 9002, vips: ['invalid-port::1234x'] }] },
    { name: 'zero-port', ports: [{ port: 9003, vips: ['/zero:0'] }] },
    { name: 'no-name', ports: [{ port: 9004, vips: ['///:80'] }] },
    {
      name: 'bad-scope',
      ports: [{ port: 9005, vips: ['/scope:80'], labels: { 'network-scope': 'moon' } }],
    },
    { name: 'no-address', network: 'container', ports: [{ port: 9006, vips: ['/nowhere:80'] }] },
    {
      name: 'nested',
      labels: { deep: '['.repeat(1_000_000) },
      ports: [{ port: 9007, vips: ['/nested:80'] }],
    },
    {
      name: 'protocol',
      ports: [{ port: 9008, protocol: 'client' as 'tcp', vips: ['/client:80'] }],
    },
  ]

  it('are counted and skipped, and the other VIPs work', async (ctx) => {
    await requireFeature(ctx, 'root')
    cluster = await openCluster({ containers: 2, plane: 'auto' })
    for (const task of junk) await cluster.host.launch(task)
    const address = await startBackends(cluster, 2)
    const { failures } = await cluster.host.sendRequests(50, [`http://${address}/`])
    expect(failures).toEqual({})
    const names = (await cluster.vips()).map(({ name }) => name?.split('.')[0])
    expect([...new Set(names)]).toEqual(['nested', 'web'])
    const problems = JSON.parse(await cluster.host.waitFor('/v1/navstar/vips')) as {
      problems: { code: string }[]
    }
    expect(problems.problems.map(({ code }) => code)).toEqual([
      'LABEL_INVALID',
      'LABEL_INVALID',
      'LABEL_INVALID',
      'LABEL_INVALID',
      'BACKEND_FAMILY_MISMATCH',
    ])
    expect(await cluster.metric('navstar_mesos_skipped_parts')).toBe(2)
  })
})

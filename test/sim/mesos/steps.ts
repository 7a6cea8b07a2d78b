/** What may happen to a cluster, as plain values: drawn from dice, shrunk by a property test. */
import type { Random } from '../../../src/base/random.ts'
import type { TaskState } from '../../../src/demo/agent/task.ts'
import type { SimulatedAgent } from '../../../src/demo/mesos/agent.ts'
import { isTerminalState } from '../../../src/demo/mesos/messages.ts'
import { below, oneOf } from '../dice.ts'
import { ODD_LABELS } from './odd-labels.ts'
import type { Scene } from './scene.ts'

/** A thing that happens to the n-th of those it can happen to. */
export interface Step {
  readonly kind: StepKind
  /** Which one; taken modulo their number. */
  readonly which: number
  /** A further number, whose meaning depends on the kind. */
  readonly amount: number
}

/** Kinds of steps, those that happen often several times. */
export const STEP_KINDS = [
  'launch',
  'launch',
  'launch',
  'launch',
  'slow-launch',
  'launch-pod',
  'launch-odd',
  'kill',
  'kill',
  'end',
  'end',
  'health',
  'health',
  'health-storm',
  'cut-agent',
  'cut-agent',
  'heal-agent',
  'heal-agent',
  'stop-agent',
  'start-agent',
  'move-agent',
  'reboot-agent',
  'replace-agent',
  'remove-agent',
  'add-agent',
  'gone-agent',
  'hold-agent',
  'add-framework',
  'stop-framework',
  'start-framework',
  'tear-down',
  'update-framework',
  'fail-leader',
  'elect',
  'acknowledge',
  'wait',
  'wait',
  'wait-long',
  'cut-stream',
  'stall-stream',
  'jump-agent-clock',
  'jump-master-clock',
  'audit',
] as const

/** The kind of a step. */
export type StepKind = (typeof STEP_KINDS)[number]

/** Draws a course of steps. */
export function drawSteps(random: Random, count: number): readonly Step[] {
  return Array.from({ length: count }, () => ({
    kind: oneOf(random, STEP_KINDS),
    which: below(random, 1000),
    amount: below(random, 1000),
  }))
}

type Act = (scene: Scene, step: Step) => void

const NETWORKS = ['host', 'bridge', 'container'] as const
const ENDS: readonly TaskState[] = ['TASK_FINISHED', 'TASK_FAILED', 'TASK_ERROR']
const HEALTH = 'REASON_TASK_HEALTH_CHECK_STATUS_UPDATED'

const ACTS: Readonly<Record<StepKind, Act>> = {
  launch: (scene, { which, amount }) => scene.launch(which, specOf(amount)),
  'slow-launch': (scene, { which, amount }) =>
    scene.launch(which, specOf(amount), { startingMs: 1000, runningMs: 30_000 }),
  'launch-pod': (scene, { which, amount }) => scene.launchPod(which, podOf(amount)),
  'launch-odd': (scene, { which, amount }) => scene.launch(which, oddSpecOf(amount)),
  kill: ({ cluster, keys }, { which, amount }) =>
    withOne(keys, which, (key) => cluster.kill(key, amount % 5 === 0 ? 3_600_000 : 3000)),
  end: (scene, { which, amount }) =>
    scene.withTask(which, (agent, key) =>
      agent.tasks.report(key, { state: ENDS[amount % ENDS.length] ?? 'TASK_FINISHED' }),
    ),
  health: (scene, { which, amount }) => tellHealth(scene, which, [amount % 2 === 0]),
  'health-storm': (scene, { which, amount }) =>
    tellHealth(scene, which, new Array<boolean>(30).fill(amount % 2 === 0)),
  'cut-agent': ({ cluster, agents }, { which }) =>
    withOne(agents, which, (agent) => cluster.cut(agent)),
  'heal-agent': ({ cluster, agents }, { which }) =>
    withOne(
      agents.filter(({ isReachable }) => !isReachable),
      which,
      (agent) => cluster.heal(agent),
    ),
  'stop-agent': ({ cluster, agents }, { which }) =>
    withOne(agents, which, (agent) => cluster.stop(agent)),
  'start-agent': ({ cluster, idle }, { which }) =>
    withOne(idle, which, (agent) => cluster.start(agent)),
  'move-agent': (scene, { which }) =>
    withOne(scene.idle, which, (agent) => scene.cluster.start(agent, { ip: scene.freshIp() })),
  'reboot-agent': ({ cluster, up }, { which }) =>
    withOne(up, which, (agent) => cluster.reboot(agent, { keepsId: true })),
  'replace-agent': ({ cluster, up }, { which }) =>
    withOne(up, which, (agent) => cluster.reboot(agent, { keepsId: false })),
  'remove-agent': ({ cluster, up }, { which }) =>
    withOne(up.slice(1), which, (agent) => cluster.remove(agent)),
  'add-agent': (scene) => {
    if (scene.agents.length < 8) scene.cluster.connect(scene.addAgent())
  },
  'gone-agent': ({ cluster, agents }, { which }) =>
    withOne(agents.slice(1), which, ({ id }) => {
      if (id !== undefined) cluster.master?.markGone(id)
    }),
  'hold-agent': ({ up }, { which }) =>
    withOne(up, which, (agent) => {
      agent.isHeldBack = !agent.isHeldBack
    }),
  'add-framework': (scene, { amount }) => scene.addFramework(amount % 2 === 0),
  'stop-framework': ({ cluster, schedulers }, { which }) =>
    withOne(schedulers, which, (scheduler) => cluster.stopFramework(scheduler)),
  'start-framework': ({ cluster, schedulers }, { which }) =>
    withOne(schedulers, which, (scheduler) => cluster.subscribe(scheduler)),
  'tear-down': ({ cluster, schedulers }, { which }) =>
    withOne(schedulers.slice(1), which, ({ spec }) => cluster.master?.tearDown(spec.id)),
  'update-framework': ({ cluster, schedulers }, { which }) =>
    withOne(schedulers, which, (scheduler) => cluster.master?.updateFramework(scheduler)),
  'fail-leader': ({ cluster }, { which }) => cluster.failLeader(which % 2 === 0 ? 'reset' : 'fin'),
  elect: ({ cluster }, { which, amount }) => {
    if (cluster.leader !== undefined) return
    cluster.elect(which % 3, { recoveryMs: amount * 5, returnWithinMs: 500 + amount * 200 })
  },
  acknowledge: ({ cluster }, { which, amount }) => {
    cluster.acknowledging = { delayMs: amount * 5, lossChance: (which % 3) / 4 }
  },
  wait: ({ schedule }, { amount }) => schedule.runFor(amount * 10),
  'wait-long': ({ schedule }, { amount }) => schedule.runFor(amount * 300),
  'cut-stream': ({ listener }) => {
    if (listener.isListening) listener.cut()
  },
  'stall-stream': ({ listener }, { amount }) => listener.stall(amount * 100),
  'jump-agent-clock': ({ agents }, { which, amount }) =>
    withOne(agents, which, (agent) => {
      agent.clockOffsetMs = (amount - 500) * 10_000
    }),
  'jump-master-clock': ({ cluster }, { amount }) => {
    cluster.masterClockOffsetMs = (amount - 500) * 10_000
  },
  audit: ({ listener }, { amount }) => listener.audit(amount),
}

/** Lets it happen, and a moment pass. */
export function take(scene: Scene, step: Step): void {
  ACTS[step.kind](scene, step)
  scene.schedule.runFor(step.amount % 7 === 0 ? 0 : step.amount)
}

function specOf(amount: number) {
  const isDocker = amount % 3 === 0
  const network = NETWORKS[amount % NETWORKS.length] ?? 'host'
  return {
    name: `t${amount % 5}`,
    network,
    runtime: isDocker ? ('docker' as const) : ('mesos' as const),
    ...(network === 'host' ? {} : { addresses: [`9.0.${amount % 250}.5`] }),
    ports: [{ port: 8080, vips: [`/t${amount % 5}:80`] }],
    hasHealthCheck: amount % 4 === 0,
  }
}

/** Two or three tasks in the networks of one container. */
function podOf(amount: number) {
  const network = NETWORKS[amount % NETWORKS.length] ?? 'host'
  const addresses = network === 'host' ? {} : { addresses: [`9.1.${amount % 250}.5`] }
  return Array.from({ length: 2 + (amount % 2) }, (_, index) => ({
    name: `p${index}`,
    network,
    ...addresses,
    ports: [
      {
        port: 8080 + index,
        vips: [`/p${index}:80`],
        ...(network === 'bridge' ? { hostPort: 20_000 + index } : {}),
      },
    ],
    hasHealthCheck: index === 0,
  }))
}

/** A task with a label as they have been seen in the wild, or worse. */
function oddSpecOf(amount: number) {
  const oddLabels = [ODD_LABELS[amount % ODD_LABELS.length] ?? {}]
  return { name: 'odd', ports: [{ port: 8080, vips: ['/odd:80'], oddLabels }] }
}

function tellHealth(scene: Scene, which: number, results: readonly boolean[]): void {
  scene.withTask(which, (agent, key) => {
    if (agent.tasks.message(key)?.['state'] !== 'TASK_RUNNING') return
    for (const isHealthy of results) {
      agent.tasks.report(key, { state: 'TASK_RUNNING', isHealthy, reason: HEALTH })
    }
  })
}

function withOne<T>(items: readonly T[], which: number, act: (item: T) => void): void {
  const item = items[which % Math.max(1, items.length)]
  if (item !== undefined) act(item)
}

/** Whether the agent runs the task and it has not ended. */
export function isLiveOn(agent: SimulatedAgent, key: string): boolean {
  const task = agent.tasks.message(key)
  return task !== undefined && !isTerminalState(task['state'])
}

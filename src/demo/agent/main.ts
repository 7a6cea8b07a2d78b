/**
 * Runs a simulated Mesos agent:
 * `node src/demo/agent/main.ts --listen 127.0.0.1:5051 --agent-ip 10.0.0.1 --state FILE`
 *
 * By hand it runs until it is interrupted. With `--instructions` it does what the lines of JSON on
 * standard input say (agent/instruction.ts), answers each with a line, and ends with its input.
 */
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { systemClock } from '../../base/clock.ts'
import type { AgentInstruction } from './instruction.ts'
import { MesosAgentSimulator } from './mesos-agent.ts'

const { values } = parseArgs({
  options: {
    listen: { type: 'string', default: '127.0.0.1:5051' },
    state: { type: 'string' },
    'agent-ip': { type: 'string' },
    instructions: { type: 'boolean', default: false },
  },
})
const colon = values.listen.lastIndexOf(':')
const agentIp = values['agent-ip']
const agent = await MesosAgentSimulator.listen({
  clock: systemClock,
  listen: { host: values.listen.slice(0, colon), port: Number(values.listen.slice(colon + 1)) },
  ...(agentIp === undefined ? {} : { agentIp }),
})
if (values.state !== undefined) await agent.loadStateFile(values.state)
process.stdout.write(`ready: simulated mesos agent listens on ${agent.url}\n`)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end)

if (values.instructions) {
  const lines = createInterface({ input: process.stdin })
  lines.on('line', (line) => {
    process.stdout.write(`${follow(JSON.parse(line) as AgentInstruction)}\n`)
  })
  lines.once('close', end)
}

function follow(instruction: AgentInstruction): string {
  switch (instruction.kind) {
    case 'add':
      return `task ${agent.addTask(instruction.task)}`
    case 'state':
      agent.setTaskState(instruction.taskId, instruction.state)
      return 'done'
    case 'health':
      agent.setHealth(instruction.taskId, instruction.isHealthy)
      return 'done'
    case 'remove':
      agent.removeTask(instruction.taskId)
      return 'done'
    default:
      return instruction satisfies never
  }
}

function end(): void {
  process.stdin.destroy()
  void agent.close()
}

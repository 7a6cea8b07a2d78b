/** The simulated Mesos agent of a demo host; its parent sends calls over IPC-like JSON lines. */
import { createInterface } from 'node:readline'
import { systemClock } from '../base/clock.ts'
import type { AgentCall } from './host-agent-call.ts'
import { MesosAgentSimulator } from './mesos-agent.ts'

const [listenPort = '5051', agentIp = '127.0.0.1', stateFile] = process.argv.slice(2)
const agent = await MesosAgentSimulator.listen({
  clock: systemClock,
  listen: { host: '127.0.0.1', port: Number(listenPort) },
  agentIp,
})
if (stateFile !== undefined) await agent.loadStateFile(stateFile)
process.stdout.write(`ready ${agent.url}\n`)

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${answer(JSON.parse(line) as AgentCall)}\n`)
}
await agent.close()

function answer(call: AgentCall): string {
  switch (call.kind) {
    case 'add':
      return `task ${agent.addTask(call.task)}`
    case 'state':
      agent.setTaskState(call.taskId, call.state)
      return 'done'
    case 'health':
      agent.setHealth(call.taskId, call.isHealthy)
      return 'done'
    case 'remove':
      agent.removeTask(call.taskId)
      return 'done'
    default:
      return call satisfies never
  }
}

/**
 * Runs a simulated Mesos agent until interrupted:
 * `node src/demo/mesos-agent-main.ts --listen 127.0.0.1:5051 --agent-ip 10.0.0.1 --state FILE`
 */
import { parseArgs } from 'node:util'
import { systemClock } from '../base/clock.ts'
import { MesosAgentSimulator } from './mesos-agent.ts'

const { values } = parseArgs({
  options: {
    listen: { type: 'string', default: '127.0.0.1:5051' },
    state: { type: 'string' },
    'agent-ip': { type: 'string' },
  },
})
const colon = values.listen.lastIndexOf(':')
const agentIp = values['agent-ip']
const simulator = await MesosAgentSimulator.listen({
  clock: systemClock,
  listen: { host: values.listen.slice(0, colon), port: Number(values.listen.slice(colon + 1)) },
  ...(agentIp === undefined ? {} : { agentIp }),
})
if (values.state !== undefined) await simulator.loadStateFile(values.state)
process.stdout.write(`simulated mesos agent listens on ${simulator.url}\n`)
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void simulator.close())

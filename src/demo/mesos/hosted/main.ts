/**
 * Simulates the Mesos of a demo: the masters and the agents of all its hosts, each behind a socket in
 * its host's namespace. It does what the lines of JSON on standard input say (hosted/instruction.ts),
 * answers each with a line, and ends with its input.
 */
import { createInterface } from 'node:readline'
import { systemClock } from '../../../base/clock.ts'
import { systemRandom } from '../../../base/random.ts'
import { HostedCluster } from './hosted-cluster.ts'
import type { MesosAnswer, MesosRequest } from './instruction.ts'
import { openSockets } from './sockets.ts'

const cluster = new HostedCluster({ clock: systemClock, random: systemRandom, openSockets })
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => undefined) // the demo says when it ends
}
process.stdout.write('ready\n')
for await (const line of createInterface({ input: process.stdin })) {
  const { id, instruction } = JSON.parse(line) as MesosRequest
  void cluster
    .follow(instruction)
    .then(
      (outcome): MesosAnswer => ({ id, outcome }),
      (error: unknown): MesosAnswer => ({ id, outcome: {}, problem: String(error) }),
    )
    .then((answer) => process.stdout.write(`${JSON.stringify(answer)}\n`))
}
await cluster.close()

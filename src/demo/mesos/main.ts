/**
 * Runs a simulated Mesos master: `node src/demo/mesos/main.ts --listen 127.0.0.1:5050`
 *
 * It does what the lines of JSON on standard input say (mesos/instruction.ts), answers each with a
 * line, and ends with its input.
 */
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { systemClock } from '../../base/clock.ts'
import { systemRandom } from '../../base/random.ts'
import { DemoMaster } from './demo-master.ts'
import type { MasterInstruction } from './instruction.ts'

const { values } = parseArgs({ options: { listen: { type: 'string', default: '127.0.0.1:5050' } } })
const colon = values.listen.lastIndexOf(':')
const listen = { host: values.listen.slice(0, colon), port: Number(values.listen.slice(colon + 1)) }
const master = await DemoMaster.open({ clock: systemClock, random: systemRandom, listen })
process.stdout.write(`ready: simulated mesos master listens on ${master.url}\n`)
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end)
for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${answer(line)}\n`)
}
end()

function answer(line: string): string {
  try {
    return master.follow(JSON.parse(line) as MasterInstruction)
  } catch (error) {
    return `failed: ${error instanceof Error ? error.message : String(error)}`
  }
}

function end(): void {
  process.stdin.destroy()
  void master.close()
}

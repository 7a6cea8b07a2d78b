import { existsSync, readFileSync } from 'node:fs'
import type { TestContext } from 'vitest'
import { VirtualClock } from '../../src/base/virtual-clock.ts'
import { MesosAgentSimulator } from '../../src/demo/agent/mesos-agent.ts'
import type { JsonObject } from '../../src/mesos/state/json-fields.ts'
import type { Skipped } from '../../src/mesos/state/skipped.ts'
import type { AgentState } from '../../src/mesos/state/state.ts'
import { readState } from '../../src/mesos/state/state.ts'
import { readTask } from '../../src/mesos/state/task.ts'
import type { Ip } from '../../src/model/ip.ts'
import type { Task } from '../../src/model/task.ts'

/** The agent of most tests. */
export const AGENT_IP = '10.0.0.1' as Ip

/** The parts of a Task message that tests vary. */
export function taskMessage(parts: JsonObject = {}): JsonObject {
  return {
    name: 'web',
    task_id: { value: 'web.1' },
    framework_id: { value: 'f-0001' },
    state: 'TASK_RUNNING',
    statuses: [statusMessage()],
    ...parts,
  }
}

/** A TASK_RUNNING with the address 9.0.0.5. */
export function statusMessage(
  parts: JsonObject = {},
  addresses: readonly string[] = ['9.0.0.5'],
): JsonObject {
  const ip_addresses = addresses.map((ip_address) => ({ protocol: 'IPv4', ip_address }))
  return {
    state: 'TASK_RUNNING',
    timestamp: 10,
    container_status: { network_infos: [{ ip_addresses }] },
    ...parts,
  }
}

/** Reads one task as the parser does, with what it left out. */
export function read(message: unknown): { task: Task | undefined; skipped: readonly Skipped[] } {
  const skipped: Skipped[] = []
  const frameworks = new Map([['f-0001', 'marathon']])
  const onSkipped = (part: Skipped) => skipped.push(part)
  return { task: readTask(message, { agentIp: AGENT_IP, frameworks, onSkipped }), skipped }
}

/** A capture's text; skips the test by name where the captures are not at hand. */
export function captureText(ctx: TestContext, path: string): string {
  return captureBytes(ctx, path).toString('utf8')
}

/** A capture's bytes; skips as {@link captureText} does. */
export function captureBytes(ctx: TestContext, path: string): Buffer {
  const url = new URL(`../../../shared/data/mesos/${path}`, import.meta.url)
  if (!existsSync(url)) ctx.skip(`reason: mesos capture ${path} is not beside the repository`)
  return readFileSync(url)
}

/** What an agent that serves this capture answers, read by the parser. */
export async function readThroughAgent(capture: string, agentIp: string): Promise<AgentState> {
  await using stack = new AsyncDisposableStack()
  const agent = await MesosAgentSimulator.listen({ clock: new VirtualClock(), agentIp })
  stack.defer(() => agent.close())
  agent.loadState(capture)
  const answer = await fetch(`${agent.url}/api/v1`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ type: 'GET_STATE' }),
  })
  return readState(await answer.text(), agentIp as Ip)
}

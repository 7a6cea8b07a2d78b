import type { Snapshot, SnapshotAgent, SnapshotTask } from '../../../src/mesos/snapshot/snapshot.ts'

/** A SUBSCRIBED that says what the snapshot says and no more. */
export function subscribedOf(snapshot: Snapshot): object {
  const { heartbeatIntervalMs } = snapshot
  return {
    type: 'SUBSCRIBED',
    subscribed: {
      get_state: {
        get_tasks: {
          tasks: snapshot.tasks.map(taskOf),
          unreachable_tasks: snapshot.unreachableTasks.map(taskOf),
        },
        get_frameworks: {
          frameworks: snapshot.frameworks.map(({ id, name }) => ({
            framework_info: { id: { value: id }, name },
          })),
        },
        get_agents: {
          agents: snapshot.agents.map((agent) => ({
            agent_info: agentInfoOf(agent),
            ...(agent.pid === undefined ? {} : { pid: agent.pid }),
          })),
          recovered_agents: snapshot.recoveredAgents.map(agentInfoOf),
        },
      },
      ...(heartbeatIntervalMs === undefined
        ? {}
        : { heartbeat_interval_seconds: heartbeatIntervalMs / 1000 }),
    },
  }
}

function taskOf({ frameworkId, taskId, agentId, state }: SnapshotTask): object {
  return {
    framework_id: { value: frameworkId },
    task_id: { value: taskId },
    agent_id: { value: agentId },
    ...(state === undefined ? {} : { state }),
  }
}

function agentInfoOf({ id, hostname, port }: SnapshotAgent): object {
  return { id: { value: id }, hostname, port }
}

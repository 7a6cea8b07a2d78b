import type { Task, TaskKey, TaskPort, VipOptionLabel } from '../../model/task.ts'

/**
 * The tasks of `next`, but the objects of `previous` where nothing changed, so that a table of
 * them reports no change.
 */
export function keepUnchanged(
  previous: ReadonlyMap<TaskKey, Task>,
  next: ReadonlyMap<TaskKey, Task>,
): ReadonlyMap<TaskKey, Task> {
  const kept = new Map<TaskKey, Task>()
  for (const [key, task] of next) {
    const known = previous.get(key)
    kept.set(key, known !== undefined && isSameTask(known, task) ? known : task)
  }
  return kept
}

/** Whether both say the same. */
export function isSameTask(left: Task, right: Task): boolean {
  return (
    left.key === right.key &&
    left.frameworkName === right.frameworkName &&
    left.name === right.name &&
    left.phase === right.phase &&
    left.health === right.health &&
    left.runtime === right.runtime &&
    left.agentIp === right.agentIp &&
    isSameList(left.addresses, right.addresses) &&
    isSameList(left.ports, right.ports, isSamePort)
  )
}

function isSamePort(left: TaskPort, right: TaskPort): boolean {
  return (
    left.protocol === right.protocol &&
    left.port === right.port &&
    left.hostPort === right.hostPort &&
    left.name === right.name &&
    isSameList(left.vips, right.vips) &&
    isSameList(left.vipOptions ?? [], right.vipOptions ?? [], isSameOption)
  )
}

function isSameOption(left: VipOptionLabel, right: VipOptionLabel): boolean {
  return left.vip === right.vip && left.option === right.option && left.value === right.value
}

function isSameList<T>(
  left: readonly T[],
  right: readonly T[],
  isSame: (left: T, right: T) => boolean = Object.is,
): boolean {
  return (
    left.length === right.length && left.every((item, index) => isSame(item, right[index] as T))
  )
}

import { expect, test } from 'vitest'
import { Table } from '../../../src/base/table.ts'
import { Advertiser } from '../../../src/l4lb/advertise/advertiser.ts'
import type { Task, TaskKey } from '../../../src/model/task.ts'
import { port, task } from '../records.ts'

function web(id: string, ...vips: readonly string[]): Task {
  return task({ id, ports: [{ protocol: 'tcp', port: port(8080), vips }] })
}

function follow(tasks: Table<TaskKey, Task>): { advertiser: Advertiser; problems: string[] } {
  const problems: string[] = []
  const advertiser = new Advertiser(tasks, {
    onProblem: ({ id }, { code }) => void problems.push(`${id} ${code}`),
  })
  return { advertiser, problems }
}

function labelsOf({ records }: Advertiser): string[] {
  return [...records.snapshot.rows.keys()].map((key) => key.split('/').slice(1, 3).join('/')).sort()
}

test('records follow tasks that come, change and go', () => {
  const tasks = new Table<TaskKey, Task>()
  const [one, two] = [web('1', '/web:80'), web('2', '/api:80')]
  tasks.update([[one.key, one]])
  const { advertiser } = follow(tasks)
  expect(labelsOf(advertiser)).toEqual(['named:/web@marathon:80'])
  tasks.update([
    [two.key, two],
    [one.key, web('1', '/web:443')],
  ])
  expect(labelsOf(advertiser)).toEqual(['named:/api@marathon:80', 'named:/web@marathon:443'])
  tasks.update([[one.key, undefined]])
  expect(labelsOf(advertiser)).toEqual(['named:/api@marathon:80'])
  advertiser.close()
  tasks.update([[two.key, undefined]])
  expect(labelsOf(advertiser)).toEqual(['named:/api@marathon:80'])
})

test('records are complete when the tasks are', () => {
  const tasks = new Table<TaskKey, Task>()
  const { advertiser } = follow(tasks)
  expect(advertiser.records.snapshot.isComplete).toBe(false)
  tasks.replace(new Map())
  expect(advertiser.records.snapshot.isComplete).toBe(true)
})

test('a problem is told once while it lasts', () => {
  const tasks = new Table<TaskKey, Task>()
  const { advertiser, problems } = follow(tasks)
  const broken = web('1', '/web', '/api:80')
  tasks.update([[broken.key, broken]])
  tasks.update([[broken.key, { ...broken }]])
  expect(problems).toEqual(['1 LABEL_INVALID'])
  expect(advertiser.problems).toHaveLength(1)
  tasks.update([[broken.key, web('1', '/web:80')]])
  expect(advertiser.problems).toEqual([])
  tasks.update([[broken.key, broken]])
  expect(problems).toEqual(['1 LABEL_INVALID', '1 LABEL_INVALID'])
  tasks.update([[broken.key, undefined]])
  expect(advertiser.problems).toEqual([])
})

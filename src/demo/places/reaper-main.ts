/**
 * Waits until its parent is gone, however it went, and cleans up after it:
 * `reaper-main.ts ID CGROUP_ROOT`. The parent holds the other end of standard input; should that
 * end not be seen, the change of the parent's number is.
 */
import { systemClock } from '../../base/clock.ts'
import { cleanUp } from './cleanup.ts'
import { demoPlaces } from './places.ts'

const PARENT_CHECK_MS = 500

const [id = '', cgroupRoot = ''] = process.argv.slice(2)
const parent = process.ppid
const ended = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
for (const event of ['end', 'close', 'error'] as const) {
  process.stdin.once(event, () => ended.abort())
}
process.stdin.resume()

while (!ended.signal.aborted && process.ppid === parent) {
  await systemClock.sleep(PARENT_CHECK_MS, { signal: ended.signal }).catch(() => undefined) // ended
}
process.stdin.destroy()
await cleanUp(demoPlaces(id, cgroupRoot))

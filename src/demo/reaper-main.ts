/**
 * Waits until its parent is gone, however it went, and cleans up after it:
 * `reaper-main.ts ID CGROUP_ROOT`. The parent holds the other end of standard input.
 */
import { cleanUp } from './cleanup.ts'
import { demoPlaces } from './places.ts'

const [id = '', cgroupRoot = ''] = process.argv.slice(2)
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined)
process.stdin.resume()
process.stdin.once('close', () => {
  void cleanUp(demoPlaces(id, cgroupRoot))
})

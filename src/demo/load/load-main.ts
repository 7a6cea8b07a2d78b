/**
 * Sends requests, each on a connection of its own, and prints one line of JSON at the end:
 * `--url http://web.marathon.l4lb.thisdcos.directory/ [--url …]` are asked in turn;
 * `--count 1000` requests, or with `--endless` until standard input ends; `--clients 4` at a time.
 */
import { request } from 'node:http'
import { parseArgs } from 'node:util'
import type { LoadReport } from './load-report.ts'

const { values } = parseArgs({
  options: {
    url: { type: 'string', multiple: true },
    count: { type: 'string', default: '1000' },
    clients: { type: 'string', default: '1' },
    endless: { type: 'boolean', default: false },
  },
})
const urls = values.url ?? []
const spread = new Map<string, number>()
const failures = new Map<string, number>()
const timesUs: number[] = []
let left = values.endless ? Number.POSITIVE_INFINITY : Number(values.count)
if (values.endless) {
  process.stdin.resume()
  process.stdin.once('end', () => {
    left = 0
  })
  process.stdout.write('running\n')
}

await Promise.all(Array.from({ length: Number(values.clients) }, client))

const report: LoadReport = {
  spread: Object.fromEntries([...spread].sort()),
  failures: Object.fromEntries(failures),
  timesUs,
}
process.stdout.write(`${JSON.stringify(report)}\n`)

async function client(): Promise<void> {
  while (left > 0) {
    left--
    const startNs = process.hrtime.bigint()
    try {
      const backend = await ask(urls[timesUs.length % urls.length] ?? '')
      timesUs.push(Number(process.hrtime.bigint() - startNs) / 1000)
      spread.set(backend, (spread.get(backend) ?? 0) + 1)
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code ?? String(error)
      failures.set(reason, (failures.get(reason) ?? 0) + 1)
    }
  }
}

function ask(url: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const outgoing = request(url, { agent: false, timeout: 5_000 }, (response) => {
    response.resume()
    response.once('end', () => resolve(String(response.headers['x-backend'])))
    response.once('error', reject)
  })
  outgoing.once('timeout', () => outgoing.destroy(new Error('timeout')))
  outgoing.once('error', reject)
  outgoing.end()
  return promise
}

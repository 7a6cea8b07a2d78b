/**
 * `npm run fuzz -- [--inputs N] [--seed S] [--only NAME]`: feeds every decoder of foreign bytes with
 * random and nearly right inputs. Exit code 1 and the bytes in hex when one throws, reads back
 * differently from what it wrote, or keeps or takes too much memory.
 */
import { parseArgs } from 'node:util'
import { systemRandom } from '../../src/base/random.ts'
import { DECODERS } from './decoders.ts'
import { type FuzzResult, fuzz } from './fuzz.ts'
import { heldBytes } from './memory.ts'

const { values } = parseArgs({
  options: {
    inputs: { type: 'string', default: '1200000' },
    seed: { type: 'string', default: `${Math.floor(systemRandom.next() * 2 ** 31)}` },
    only: { type: 'string', default: '' },
  },
})
const inputs = Number(values.inputs)
const seed = Number(values.seed)
const decoders = DECODERS.filter(({ name }) => values.only === '' || name === values.only)
if (!Number.isSafeInteger(inputs) || inputs < 1 || !Number.isSafeInteger(seed)) fail('no number')
if (decoders.length === 0) fail(`no such decoder; there are: ${DECODERS.map(nameOf).join(' ')}`)

console.log(`seed ${seed}`)
const results: FuzzResult[] = []
const heldBefore = heldBytes()
for (const decoder of decoders) {
  const result = fuzz(decoder, { inputs: Math.ceil(inputs / decoders.length), seed })
  results.push(result)
  console.log(line(decoder.name, result))
  const { failure } = result
  if (failure === undefined) continue
  console.log(`FAILED ${decoder.name}: ${failure.reason}`)
  if (failure.bytes !== undefined) console.log(Buffer.from(failure.bytes).toString('hex'))
  console.log(`again: npm run fuzz -- --only ${decoder.name} --seed ${seed} --inputs ${inputs}`)
  process.exitCode = 1
}
const growthBytes = heldBytes() - heldBefore
const total = {
  inputs: sum(results.map((result) => result.inputs)),
  accepted: sum(results.map((result) => result.accepted)),
  elapsedMs: sum(results.map((result) => result.elapsedMs)),
  growthBytes,
}
console.log(line('total', total))
const failed = results.filter(({ failure }) => failure !== undefined).length
console.log(failed === 0 ? 'ok' : `${failed} of ${decoders.length} decoders FAILED`)

function line(
  name: string,
  { inputs: count, accepted, elapsedMs, growthBytes: grown }: FuzzResult,
) {
  const perSecond = Math.round((count / elapsedMs) * 1000)
  const share = Math.round((accepted / count) * 100)
  const kilobytes = Math.round(grown / 1024)
  return `${name.padEnd(22)} ${String(count).padStart(8)} inputs  ${String(perSecond).padStart(7)}/s  ${String(share).padStart(3)} % accepted  heap ${kilobytes >= 0 ? '+' : ''}${kilobytes} KiB`
}

function nameOf({ name }: { readonly name: string }): string {
  return name
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}

function fail(reason: string): never {
  console.error(`fuzz: ${reason}`)
  process.exit(2)
}

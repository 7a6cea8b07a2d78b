/**
 * `npm run sim -- [--scenario NAME|all] [--nodes N] [--seeds A..B | --seed S] [--trace]
 * [--wire|--no-wire] [--notary fake|real]`: plays scenarios, one line per seed, and for each failure
 * one command that replays it.
 *
 * `npm run sim -- --measure table|spread|detection|rest|alarms [--sizes 10,100,…]
 * [--losses 0,1,5,20] [--stalling PERCENT] [--hours NODE-HOURS] [--changes N] [--crashes N]
 * [--value BYTES] [--evidence E]`: prints figures. With less evidence for a doubt than nodes ask for,
 * false alarms become frequent enough to count, and their rate at the usual evidence can be inferred.
 *
 * `npm run sim -- mesos [--seeds A..B | --seed S [--steps STEPS]] [--trace]`: courses of a Mesos cluster
 * instead; one that fails is shrunk.
 */
import { parseArgs } from 'node:util'
import { openFakeNotary } from './fake-notary.ts'
import { printTable } from './measure/table.ts'
import { playMesos } from './mesos/main.ts'
import { openRealEngine } from './open-engine.ts'
import { openRealNotary } from './real-notary.ts'
import { type RunOptions, type RunResult, runScenario } from './run.ts'
import { SCENARIOS } from './scenarios.ts'
import { BY_CODEC, BY_REFERENCE } from './wires.ts'

/** Up to this many nodes every message goes through the codec, unless it is said otherwise. */
const MOST_WITH_CODEC = 50

const [subject, ...rest] = process.argv.slice(2)
const isMesos = subject === 'mesos'

const { values } = parseArgs({
  args: isMesos ? [] : process.argv.slice(2),
  allowNegative: true,
  options: {
    scenario: { type: 'string', default: 'random' },
    nodes: { type: 'string', default: '10' },
    seeds: { type: 'string' },
    seed: { type: 'string' },
    wire: { type: 'boolean' },
    notary: { type: 'string', default: 'fake' },
    trace: { type: 'boolean', default: false },
    measure: { type: 'string' },
    sizes: { type: 'string', default: '10,100,1000' },
    losses: { type: 'string', default: '0,1,5,20' },
    hours: { type: 'string', default: '100' },
    changes: { type: 'string', default: '100' },
    crashes: { type: 'string', default: '20' },
    value: { type: 'string', default: '120' },
    stalling: { type: 'string', default: '5' },
    evidence: { type: 'string' },
  },
})

if (isMesos) playMesos(rest)
else if (values.measure === undefined) playAll()
else measure(values.measure)

function measure(name: string): void {
  const isKnown = printTable(
    name,
    {
      sizes: numbersOf(values.sizes),
      losses: numbersOf(values.losses).map((loss) => loss / 100),
      stallingShare: Number(values.stalling) / 100,
      nodeHours: Number(values.hours),
      changes: Number(values.changes),
      crashes: Number(values.crashes),
      base: {
        seed: Number(values.seed ?? 1),
        openEngine: openRealEngine,
        ...(values.evidence && { engine: { doubtEvidence: Number(values.evidence) } }),
        valueBytes: Number(values.value),
        say: (text) => console.error(`sim: ${text}`),
      },
    },
    console.log,
  )
  if (!isKnown) {
    console.error(`no such measure: ${name}`)
    process.exitCode = 2
  }
}

function playAll(): void {
  const names = values.scenario === 'all' ? Object.keys(SCENARIOS) : [values.scenario]
  const unknown = names.filter((name) => SCENARIOS[name] === undefined)
  if (unknown.length > 0) {
    console.error(`no such scenario: ${unknown}; there are ${Object.keys(SCENARIOS).join(', ')}`)
    process.exitCode = 2
    return
  }
  let failures = 0
  let count = 0
  for (const seed of seedsOf()) {
    for (const name of names) {
      count++
      if (!play(name, seed)) failures++
    }
  }
  console.log(`${count} runs, ${failures} failed`)
  if (failures > 0) process.exitCode = 1
}

function play(name: string, seed: number): boolean {
  const scenario = SCENARIOS[name]
  if (scenario === undefined) return false
  const nodes = Number(values.nodes)
  const isWire = values.wire ?? nodes <= MOST_WITH_CODEC
  const options: RunOptions = {
    scenario,
    nodes,
    seed,
    openEngine: openRealEngine,
    openNotary: values.notary === 'real' ? openRealNotary : openFakeNotary,
    wire: isWire ? BY_CODEC : BY_REFERENCE,
    ...(values.trace ? { trace: console.log } : {}),
  }
  const startMs = performance.now()
  const result = runScenario(options)
  console.log(lineOf(`${name} ${nodes} nodes seed ${seed}`, result, performance.now() - startMs))
  if (result.failure === undefined) return true
  const wire = isWire ? '--wire' : '--no-wire'
  console.log(
    `  replay: npm run sim -- --scenario ${name} --nodes ${nodes} --seed ${seed} ${wire} --notary ${values.notary}`,
  )
  return false
}

function lineOf(title: string, result: RunResult, wallMs: number): string {
  const { virtualMs, eventCount, failure, convergedAfterMs, checks } = result
  const speed = `${(virtualMs / 1000).toFixed(0)} s, ${eventCount} events in ${(wallMs / 1000).toFixed(1)} s`
  if (failure !== undefined) return `FAILED ${title} (${speed}): ${failure}`
  const counts = [...checks.tally.events, ...checks.tally.rejected]
  const shown = counts
    .filter(([kind]) => !/^(probe-(sent|answered)|rejected)$/.test(kind))
    .map(([kind, count]) => `${kind} ${count}`)
  return `ok ${title} (${speed}): agreed after ${convergedAfterMs} ms; ${shown.join(', ')}`
}

function seedsOf(): readonly number[] {
  if (values.seed !== undefined) return [Number(values.seed)]
  const [first = '1', last = first] = (values.seeds ?? '1..1').split('..')
  const count = Math.max(0, Number(last) - Number(first) + 1)
  return Array.from({ length: count }, (_, index) => Number(first) + index)
}

function numbersOf(text: string): readonly number[] {
  return text.split(',').map(Number)
}

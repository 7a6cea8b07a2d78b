/**
 * `npm run bench [-- NAME…] [--large] [--repeats N] [--seconds S]`: runs all measures or the named
 * ones and prints one table. Nothing is asserted: times depend on the machine, ratios less so.
 */
import { parseArgs } from 'node:util'
import { measureChange } from './change.ts'
import { measureChoice } from './choice.ts'
import { measureConnect } from './connect.ts'
import { measureGossip } from './gossip.ts'
import { measureIdle } from './idle.ts'
import { loadText, machineText } from './machine.ts'
import { inPlaces } from './places.ts'
import { measureReach } from './reach.ts'
import type { Measure } from './settings.ts'
import { measureSubscribed } from './subscribed.ts'
import { measureSync } from './sync.ts'
import { type Row, tableText } from './table.ts'

const MEASURES: Readonly<Record<string, Measure>> = {
  connect: measureConnect,
  choice: measureChoice,
  change: measureChange,
  sync: measureSync,
  idle: measureIdle,
  reach: measureReach,
  gossip: measureGossip,
  subscribed: measureSubscribed,
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    large: { type: 'boolean', default: false },
    repeats: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
  },
})
const unknown = positionals.filter((name) => MEASURES[name] === undefined)
if (unknown.length > 0) {
  console.error(`no such measure: ${unknown}; there are ${Object.keys(MEASURES).join(', ')}`)
  process.exit(2)
}
const settings = {
  isLarge: values.large,
  repeats: Number(values.repeats),
  seconds: Number(values.seconds),
  say: (line: string) => console.error(`bench: ${line}`),
}

console.log(machineText())
const rows: Row[] = []
for (const [name, measure] of Object.entries(MEASURES)) {
  if (positionals.length > 0 && !positionals.includes(name)) continue
  settings.say(`${name}, ${loadText()}`)
  rows.push(...(await inPlaces((places) => measure(places, settings))))
}
console.log(`\n${tableText(rows)}\n\n${loadText()} at the end`)

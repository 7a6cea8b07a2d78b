/**
 * Gossip over real sockets: 50 processes, each in a network namespace of its own, on a network
 * that loses packets; and hashicorp/memberlist on the same network, as the baseline.
 */
import { NotYet } from './gossip/fleet.ts'
import { addNetwork } from './gossip/network.ts'
import { type FleetPlaces, inFleetPlaces } from './gossip/places.ts'
import { memberlistProgram, navstarProgram, type Program } from './gossip/program.ts'
import { rowsOf } from './gossip/rows.ts'
import { runScenario, type ScenarioReport } from './gossip/scenario.ts'
import type { Places } from './places.ts'
import type { Settings } from './settings.ts'
import type { Row } from './table.ts'

const SIZE = 50
const LOSSES_PERCENT = [0, 5, 20] as const
const MIN_REST_SECONDS = 8

/** Measures both at each loss, one after another; `--seconds` is how long nodes rest. */
export async function measureGossip(_: Places, settings: Settings): Promise<Row[]> {
  return inFleetPlaces(async (places) => {
    await addNetwork(places, SIZE)
    const memberlist = await memberlistProgram(settings.say)
    const rows: Row[] = []
    for (const lossPercent of LOSSES_PERCENT) {
      const measure = async (program: Program) =>
        measureOne(places, settings, { program, lossPercent })
      const navstar = await measure(await navstarProgram(places, `loss-${lossPercent}`))
      const baseline = memberlist === undefined ? undefined : await measure(memberlist)
      rows.push(...rowsOf(`${SIZE} nodes, ${lossPercent} % loss`, navstar, baseline))
    }
    return rows
  })
}

/** One that does not get there is said, and the others are still measured. */
async function measureOne(
  places: FleetPlaces,
  settings: Settings,
  { program, lossPercent }: { readonly program: Program; readonly lossPercent: number },
): Promise<ScenarioReport | undefined> {
  const say = (line: string) => settings.say(`${program.name}, ${lossPercent} % loss: ${line}`)
  const restMs = 1000 * Math.max(MIN_REST_SECONDS, settings.seconds)
  try {
    return await runScenario(places, program, { size: SIZE, lossPercent, restMs, say })
  } catch (error) {
    if (!(error instanceof NotYet)) throw error
    say(`failed: ${error.message}`)
    return undefined
  }
}

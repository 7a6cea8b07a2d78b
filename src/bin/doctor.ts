import type { Diagnosis } from '../daemon/diagnosis.ts'
import { diagnose } from '../daemon/doctor.ts'
import { type Command, type GivenFlags, JSON_FLAG } from './command.ts'
import { CONFIG_FLAGS, configOf } from './flags.ts'

/** `navstar doctor`: what this host lacks. */
export const doctorCommand: Command = {
  name: 'doctor',
  summary: 'Check kernel features, privileges, ports and neighbours of this host',
  description:
    'Each line passes, or names what was found and what to do. Exits with 1 on a failure.',
  flags: [JSON_FLAG, ...CONFIG_FLAGS],
  run,
}

async function run(given: GivenFlags): Promise<number> {
  const diagnoses = await diagnose(await configOf(given))
  if (given.switches.has('json')) console.log(JSON.stringify(diagnoses, null, 2))
  else console.log(diagnoses.map(diagnosisText).join('\n'))
  return diagnoses.some(({ verdict }) => verdict === 'fail') ? 1 : 0
}

function diagnosisText({ check, verdict, found, hint }: Diagnosis): string {
  const line = `${verdict.padEnd(4)}  ${check}: ${found}`
  return hint === undefined ? line : `${line}\n      hint: ${hint}`
}

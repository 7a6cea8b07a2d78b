/** Runs a random course of events with one seed and compares what was told with what is. */
import { seededRandom } from '../../../src/base/random.ts'
import { MESOS_VERSIONS, type MesosVersion, rulesOf } from '../../../src/demo/mesos/rules.ts'
import { below, oneOf } from '../dice.ts'
import { compareAgents } from './agent-oracle.ts'
import { type EncoderName, encoderOf } from './encoders.ts'
import { compareToTruth } from './oracle.ts'
import { Scene } from './scene.ts'
import { drawSteps, type Step, take } from './steps.ts'
import type { OpenSubject } from './subject.ts'

/** A course to play. */
export interface MesosRun {
  readonly seed: number
  readonly version: MesosVersion
  readonly encoding: EncoderName
  readonly steps: readonly Step[]
  /** Default: records come in pieces. */
  readonly cutsAnywhere?: boolean
  /** What listens besides the naive listener; the product. */
  readonly openSubject?: OpenSubject
  readonly say?: (line: string) => void
}

/** How it went. */
export interface MesosRunResult {
  /** What did not hold; undefined: all did. */
  readonly failure?: string
  readonly virtualMs: number
  readonly eventCount: number
}

/** The course of a seed: version, content type and steps are drawn. */
export function drawRun(seed: number): MesosRun {
  const random = seededRandom(seed ^ 0x6d65736f)
  const version = oneOf(random, MESOS_VERSIONS)
  const encoding = oneOf(random, ['protobuf', 'protobuf', 'json', 'reversed-json'] as const)
  return { seed, version, encoding, steps: drawSteps(random, 10 + below(random, 60)) }
}

/** Plays it. Whatever is thrown, by a check or by the product, becomes a result. */
export function runMesos(run: MesosRun): MesosRunResult {
  const { seed, version, encoding, steps, openSubject, say, cutsAnywhere = true } = run
  const subject = openSubject?.()
  let scene: Scene | undefined
  try {
    scene = new Scene({
      seed,
      version,
      encoder: encoderOf(encoding, rulesOf(version)),
      cutsAnywhere,
      ...(subject === undefined ? {} : { ear: subject.ear }),
      ...(say === undefined ? {} : { say }),
    })
    const { schedule } = scene
    subject?.starts(() => schedule.nowMs())
    for (const step of steps) {
      say?.(`# ${schedule.nowMs().toFixed(0)} ${step.kind} ${step.which} ${step.amount}`)
      take(scene, step)
    }
    scene.calm()
    compareToTruth(scene, subject)
    compareAgents(scene)
    return resultOf(scene)
  } catch (error) {
    const failure = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { ...resultOf(scene), failure }
  } finally {
    scene?.listener.close()
  }
}

function resultOf(scene: Scene | undefined): Omit<MesosRunResult, 'failure'> {
  return {
    virtualMs: scene?.schedule.nowMs() ?? 0,
    eventCount: scene?.listener.eventCount ?? 0,
  }
}

/** What runs on the nodes of a fleet. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from '../../src/demo/run.ts'
import { clusterKey, formatKeyFile, keySet } from '../../src/gossip/transport/key-ring.ts'
import { addressOf } from './network.ts'
import type { FleetPlaces } from './places.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const MEMBERLIST_SOURCE = join(ROOT, 'bench/memberlist')
const MEMBERLIST = join(ROOT, 'target/bench/navstar-memberlist')

/** A program of a fleet: obeys the words and prints the events of `fleet.ts`. */
export interface Program {
  readonly name: 'navstar' | 'memberlist'
  /** The first of the states that keep new connections away from a node. */
  readonly avoided: 'doubted' | 'dead'
  /** The command line for a node. */
  command(number: number): readonly string[]
}

/** What node-main.ts is told. */
export interface NodeOrder {
  readonly address: string
  /** Absent for the seed itself. */
  readonly seed?: string
  readonly clusterId: string
  readonly keyFile: string
  readonly stateDirectory: string
}

/** Navstar's gossip; each node with a fresh state directory, node 1 is everyone's seed. */
export async function navstarProgram(places: FleetPlaces, label: string): Promise<Program> {
  const directory = join(places.stateDirectory, label)
  const keyFile = join(directory, 'keys')
  await mkdir(directory, { recursive: true })
  const key = clusterKey(new Uint8Array(32).fill(7))
  await writeFile(keyFile, formatKeyFile(keySet([key], key)), { mode: 0o600 })
  const node = await compiled(fileURLToPath(new URL('node-main.ts', import.meta.url)), directory)
  return {
    name: 'navstar',
    avoided: 'doubted',
    command: (number) => {
      const order: NodeOrder = {
        address: addressOf(number),
        ...(number === 1 ? {} : { seed: addressOf(1) }),
        clusterId: `fleet-${places.id}`,
        keyFile,
        stateDirectory: join(directory, `n${number}`),
      }
      return [...node, JSON.stringify(order)]
    },
  }
}

/**
 * The command line of a program that is compiled once: 50 processes that all strip types take
 * long to start, and 30 MiB more each.
 */
async function compiled(main: string, directory: string): Promise<readonly string[]> {
  const cache = `NODE_COMPILE_CACHE=${join(directory, 'compiled')}`
  const command = [cache, process.execPath, '--disable-warning=ExperimentalWarning', main]
  await run('env', [...command, '{}'])
  return ['env', ...command]
}

/** Builds bench/memberlist. @returns undefined where there is no Go or no module */
export async function memberlistProgram(say: (line: string) => void): Promise<Program | undefined> {
  try {
    await buildMemberlist()
  } catch (error) {
    say(`no memberlist to compare with: ${error}`)
    return undefined
  }
  return {
    name: 'memberlist',
    avoided: 'dead',
    command: (number) => [MEMBERLIST, `n${number}`, addressOf(number), addressOf(1)],
  }
}

async function buildMemberlist(): Promise<void> {
  const path = 'PATH=$PATH:/usr/local/go/bin'
  await run('sh', ['-c', `cd ${MEMBERLIST_SOURCE} && ${path} go build -o ${MEMBERLIST} .`])
}

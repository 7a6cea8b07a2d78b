/** Starts the load program, client on one core and server on another. */
import type { ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { firstLine, outputOf, spawnOnHost } from '../src/demo/host/host-process.ts'
import type { HostPlaces } from '../src/demo/places/places.ts'
import { run } from '../src/demo/run.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const PROGRAM = `${ROOT}target/release/navstar-load`

/** What one run of the load did. */
export interface Tally {
  readonly count: number
  readonly bytes: number
  readonly errors: number
  readonly seconds: number
  readonly p50Us: number
  readonly p99Us: number
}

/** A load: `crr` is connect, request, response, close; `rr` is requests on open connections. */
export interface Load {
  readonly mode: 'crr' | 'rr' | 'bulk'
  /** E.g. `10.0.0.1:80`. */
  readonly target: string
  readonly clients: number
  readonly seconds: number
}

/** Builds the load program when its sources are newer. */
export async function buildLoad(): Promise<void> {
  const manifest = `${ROOT}Cargo.toml`
  const args = ['build', '--release', '--locked', '--quiet', '--package', 'navstar-load']
  await run('cargo', [...args, '--manifest-path', manifest])
}

/** Serves the ports until it is killed or its standard input ends. */
export async function serve(host: HostPlaces, ports: readonly number[]): Promise<ChildProcess> {
  const child = spawnOnHost(host, [...onCore(1), PROGRAM, 'serve', ...ports.map(String)])
  await firstLine(child, 'ready')
  return child
}

/** Serves a port, one connection after the other, each answered after this long. */
export async function serveSlowly(
  host: HostPlaces,
  port: number,
  microseconds: number,
): Promise<void> {
  const words = ['serve-slowly', String(microseconds), String(port)]
  await firstLine(spawnOnHost(host, [...onCore(1), PROGRAM, ...words]), 'ready')
}

/** Runs a load from a host. */
export async function runLoad(host: HostPlaces, load: Load): Promise<Tally> {
  const { mode, target, clients, seconds } = load
  const words = [mode, target, String(clients), String(seconds)]
  const limit = ['timeout', '-s', 'KILL', String(seconds + 30)]
  const child = spawnOnHost(host, [...limit, ...onCore(0), PROGRAM, ...words])
  return JSON.parse(await outputOf(child)) as Tally
}

function onCore(core: number): string[] {
  return ['taskset', '-c', String(core)]
}

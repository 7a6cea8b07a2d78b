/** Starts processes inside a host of a demo: in its cgroup and in one of its namespaces. */
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { HostPlaces } from '../places/places.ts'

/** Where and how a process of a host runs. */
export interface HostProcessOptions {
  /** Name of the network namespace; default: the host's own. */
  readonly namespace?: string
  /** Sees the host's resolv.conf, but no cgroup and BPF file systems. */
  readonly isClient?: boolean
  readonly stdio?: 'pipe' | 'ignore' | 'inherit'
  /** Where its standard error goes; default: with the rest. */
  readonly stderrFd?: number
}

/**
 * Starts a command as a process of the host.
 *
 * The cgroup is joined first: `ip netns exec` hides it.
 */
export function spawnOnHost(
  host: HostPlaces,
  command: readonly string[],
  {
    namespace = host.namespace,
    isClient = false,
    stdio = 'pipe',
    stderrFd,
  }: HostProcessOptions = {},
): ChildProcess {
  const enter = isClient
    ? ['ip', 'netns', 'exec', namespace]
    : ['nsenter', `--net=/run/netns/${namespace}`]
  const join = `echo $$ > ${host.cgroup}/cgroup.procs && exec "$@"`
  const stderr = stderrFd ?? (stdio === 'pipe' ? 'inherit' : stdio)
  return spawn('sh', ['-c', join, 'sh', ...enter, ...command], {
    stdio: [stdio === 'pipe' ? 'pipe' : 'ignore', stdio, stderr],
  })
}

/** The command line of one of the demo's programs, e.g. `load/load-main.ts`. */
export function demoProgram(file: string, ...args: string[]): string[] {
  const path = fileURLToPath(new URL(file, DEMO))
  return [process.execPath, '--disable-warning=ExperimentalWarning', path, ...args]
}

/** The command line of `navstar`. */
export function navstarProgram(...args: string[]): string[] {
  return demoProgram('../bin/navstar.ts', ...args)
}

const DEMO = new URL('../', import.meta.url)

/** Waits for a line of the process' output that starts with `prefix`. */
export async function firstLine(child: ChildProcess, prefix: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let seen = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    seen += chunk.toString()
    const line = seen.split('\n').find((text) => text.startsWith(prefix))
    if (line !== undefined) resolve(line)
  })
  child.once('exit', (code) => reject(new Error(`ended with ${code} before '${prefix}': ${seen}`)))
  child.once('error', reject)
  return promise
}

/** Collects the output until the process ends. @throws Error when it ends with another code than 0 */
export async function outputOf(child: ChildProcess): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  let output = ''
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.once('error', reject)
  child.once('close', (code, signal) => {
    if (code === 0) resolve(output)
    else
      reject(
        new Error(`${child.spawnargs.slice(4).join(' ')} ended with ${code ?? signal}: ${output}`),
      )
  })
  return promise
}

/** One host of a demo: simulated Mesos agent, backends in containers, and the daemon. */
import type { ChildProcess } from 'node:child_process'
import { mkdirSync, openSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { AgentInstruction } from '../agent/instruction.ts'
import type { SimulatedTask } from '../agent/task.ts'
import type { LoadReport } from '../load/load-report.ts'
import { addHost, DNS_ADDRESS, hostAddresses } from '../network/topology.ts'
import type { DemoPlaces, HostPlaces } from '../places/places.ts'
import { demoProgram, firstLine, navstarProgram, outputOf, spawnOnHost } from './host-process.ts'

/** How a host is made. */
export interface ClusterHostOptions {
  readonly number: number
  readonly containers: number
  readonly plane: 'auto' | 'ebpf' | 'nftables'
  /** A captured state file for the agent to serve instead of tasks. */
  readonly stateFile?: string
}

/** A running host. */
export class ClusterHost {
  readonly places: HostPlaces
  readonly #demo: DemoPlaces
  readonly #options: ClusterHostOptions
  #agent: ChildProcess | undefined
  #daemon: ChildProcess | undefined

  constructor(demo: DemoPlaces, options: ClusterHostOptions) {
    this.#demo = demo
    this.#options = options
    this.places = demo.host(`h${options.number}`)
  }

  get ip(): string {
    return hostAddresses(this.#options.number).ip
  }

  /** Where the daemon logs. */
  get logPath(): string {
    return join(this.#demo.stateDirectory, `${this.places.name}.log`)
  }

  /** Process number of the daemon while it runs. */
  get daemonPid(): number | undefined {
    return this.#daemon?.exitCode === null ? this.#daemon.pid : undefined
  }

  /** Makes namespaces, cgroup and the script that enters the host. */
  async create(): Promise<void> {
    const { number, containers } = this.#options
    await addHost(this.#demo, this.places, { number, containers })
    await mkdir(this.places.cgroup, { recursive: true })
    const { cgroup, namespace, script } = this.places
    const enter = `echo $$ > ${cgroup}/cgroup.procs\nexec ip netns exec "\${NETNS:-${namespace}}" "$@"\n`
    await writeFile(script, `#!/bin/sh\n# Runs a command as a process of this host.\n${enter}`, {
      mode: 0o755,
    })
  }

  /** Starts the simulated Mesos agent. */
  async startAgent(): Promise<void> {
    const { stateFile } = this.#options
    const captured = stateFile === undefined ? [] : ['--state', stateFile]
    const args = ['--instructions', '--agent-ip', this.ip, ...captured]
    this.#agent = spawnOnHost(this.places, demoProgram('agent/main.ts', ...args))
    await firstLine(this.#agent, 'ready')
  }

  /** Tells the agent something. @returns its answer: a task's id for `add` */
  async tellAgent(instruction: AgentInstruction): Promise<string> {
    const agent = this.#agent
    if (agent?.stdin == null || agent.stdout == null) throw new Error('the agent does not run')
    const { promise, resolve } = Promise.withResolvers<string>()
    agent.stdout.once('data', (chunk: Buffer) => resolve(chunk.toString().trim()))
    agent.stdin.write(`${JSON.stringify(instruction)}\n`)
    return (await promise).replace(/^task /, '')
  }

  /** Starts a backend in a container and has the agent report its task. @returns the task's id */
  async startBackend(index: number, task: SimulatedTask): Promise<string> {
    const port = task.ports?.[0]?.port ?? 8080
    const args = ['--port', String(port), '--name', `${task.name}-${index}`]
    const namespace = this.places.container(index)
    const backend = spawnOnHost(this.places, demoProgram('host/backend-main.ts', ...args), {
      namespace,
    })
    await firstLine(backend, 'ready')
    const { ip, ip6 } = hostAddresses(this.#options.number).container(index)
    return this.tellAgent({
      kind: 'add',
      task: { ...task, network: 'container', addresses: [ip, ip6] },
    })
  }

  /** Starts the daemon and waits until it runs. */
  async startDaemon(...flags: string[]): Promise<void> {
    mkdirSync(this.#demo.stateDirectory, { recursive: true })
    const log = openSync(this.logPath, 'a')
    const options = [
      ...['--plane', this.#options.plane, '--cgroup', this.places.cgroup],
      ...['--pin-directory', this.places.pinDirectory, '--dns-listen', `${DNS_ADDRESS}:53`],
    ]
    const command = navstarProgram('agent', ...options, ...flags)
    this.#daemon = spawnOnHost(this.places, command, { stdio: 'ignore', stderrFd: log })
    await this.waitFor('/healthz')
  }

  /** Kills the daemon at once, as `kill -9` does, and waits for its end. */
  async killDaemon(): Promise<void> {
    const daemon = this.#daemon
    if (daemon === undefined || daemon.exitCode !== null || daemon.signalCode !== null) return
    const { promise, resolve } = Promise.withResolvers<void>()
    daemon.once('exit', () => resolve())
    daemon.kill('SIGKILL')
    await promise
  }

  /** Asks the daemon's API until it answers. @returns the answer's text */
  async waitFor(path: string, isWanted: (text: string) => boolean = () => true): Promise<string> {
    const url = `http://127.0.0.1:62080${path}`
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const text = await this.run([
        'curl',
        '-sf',
        '--retry-connrefused',
        '--retry',
        '20',
        '--retry-delay',
        '0',
        '--retry-max-time',
        '10',
        url,
      ]).catch(() => undefined)
      if (text !== undefined && isWanted(text)) return text
    }
    throw new Error(`${this.places.name}: ${path} did not become as wanted; see ${this.logPath}`)
  }

  /** Runs a command as a client on the host, or in one of its containers. @returns what it printed */
  run(command: readonly string[], container?: number): Promise<string> {
    const namespace = container === undefined ? undefined : this.places.container(container)
    const options = { isClient: true, ...(namespace !== undefined && { namespace }) }
    return outputOf(spawnOnHost(this.places, command, options))
  }

  /** Sends requests from the host. */
  async sendRequests(count: number, urls: readonly string[]): Promise<LoadReport> {
    const args = ['--count', String(count), ...urls.flatMap((url) => ['--url', url])]
    return JSON.parse(await this.run(demoProgram('load/load-main.ts', ...args))) as LoadReport
  }
}

const ATTEMPTS = 100

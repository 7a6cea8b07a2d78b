/** One host of a demo: backends in containers and the daemon, beside the agent of a simulated Mesos. */
import type { ChildProcess } from 'node:child_process'
import { closeSync, fstatSync, openSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { SimulatedTask } from '../agent/task.ts'
import type { LoadReport } from '../load/load-report.ts'
import { monotonicMs } from '../load/monotonic.ts'
import type { DemoMesos, StartedTask } from '../mesos/hosted/demo-mesos.ts'
import { DNS_ADDRESS, type HostAddresses, hostAddresses } from '../network/addresses.ts'
import { addHost } from '../network/topology.ts'
import type { DemoPlaces, HostPlaces } from '../places/places.ts'
import { demoProgram, firstLine, navstarProgram, outputOf, spawnOnHost } from './host-process.ts'
import { switchOff, switchOn } from './power.ts'

/** How a host is made. */
export interface ClusterHostOptions {
  readonly number: number
  readonly containers: number
  readonly plane: 'auto' | 'ebpf' | 'nftables' | 'ipvs'
  /** The Mesos that its agent belongs to. */
  readonly mesos: DemoMesos
  /** Whether a Mesos master runs on it. */
  readonly hasMaster?: boolean
  /** A captured state file for the agent to serve instead of tasks. */
  readonly stateFile?: string
}

/** A running host. */
export class ClusterHost {
  readonly places: HostPlaces
  readonly addresses: HostAddresses
  readonly #demo: DemoPlaces
  readonly #options: ClusterHostOptions
  /** What runs in each container, by its number. */
  readonly #tasks = new Map<number, SimulatedTask>()
  #hasPower = true
  #daemon: ChildProcess | undefined

  constructor(demo: DemoPlaces, options: ClusterHostOptions) {
    this.#demo = demo
    this.#options = options
    this.places = demo.host(`h${options.number}`)
    this.addresses = hostAddresses(options.number)
  }

  get name(): string {
    return this.places.name
  }

  get number(): number {
    return this.#options.number
  }

  get ip(): string {
    return this.addresses.ip
  }

  /** Whether a Mesos master belongs here. */
  get hasMaster(): boolean {
    return this.#options.hasMaster === true
  }

  get hasPower(): boolean {
    return this.#hasPower
  }

  /** Numbers of the containers in which backends run. */
  get backends(): readonly number[] {
    return [...this.#tasks.keys()]
  }

  /** Where the daemon logs. */
  get logPath(): string {
    return join(this.#demo.stateDirectory, `${this.name}.log`)
  }

  /** Process number of the daemon while it runs. */
  get daemonPid(): number | undefined {
    return isRunning(this.#daemon) ? this.#daemon.pid : undefined
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

  /** Starts the simulated agent, and the master if there is one. */
  async startAgent(): Promise<void> {
    const { mesos, stateFile } = this.#options
    const { ip, hasMaster } = this
    const { namespacePath } = this.places
    await mesos.addHost({ ip, namespacePath, hasMaster, ...(stateFile && { stateFile }) })
  }

  /** Launches a task on the host's agent, which nothing serves yet. @returns once it runs */
  launch(task: SimulatedTask): Promise<StartedTask> {
    return this.#options.mesos.launch(this.ip, task)
  }

  /**
   * Starts a backend in a container and launches its task. The backend answers with a
   * name such as `h1-web-2`: host, task, container.
   *
   * @returns the task's id
   */
  async startBackend(index: number, task: SimulatedTask): Promise<string> {
    const port = task.ports?.[0]?.port ?? 8080
    const args = ['--port', String(port), '--name', `${this.name}-${task.name}-${index}`]
    const namespace = this.places.container(index)
    const program = demoProgram('host/backend-main.ts', ...args)
    const backend = spawnOnHost(this.places, program, { namespace })
    await firstLine(backend, 'ready')
    this.#tasks.set(index, task)
    const { ip, ip6 } = this.addresses.container(index)
    const { taskId } = await this.launch({ ...task, network: 'container', addresses: [ip, ip6] })
    return taskId
  }

  /** Starts the daemon and waits until it runs. */
  async startDaemon(...flags: string[]): Promise<void> {
    const log = openSync(this.logPath, 'a')
    const { size } = fstatSync(log)
    const options = [
      ...['--plane', this.#options.plane, '--cgroup', this.places.cgroup],
      ...['--pin-directory', this.places.pinDirectory, '--dns-listen', `${DNS_ADDRESS}:53`],
      ...['--state-directory', join(this.#demo.stateDirectory, `${this.name}.state`)],
    ]
    const command = navstarProgram('agent', ...options, ...flags)
    const daemon = spawnOnHost(this.places, command, { stdio: 'ignore', stderrFd: log })
    closeSync(log)
    this.#daemon = daemon
    await this.#untilRunning(daemon, size)
  }

  /** Reads its log, which costs less than asking its API; on a busy machine a start takes seconds. */
  async #untilRunning(daemon: ChildProcess, logStart: number): Promise<void> {
    const deadlineMs = monotonicMs() + START_MS
    while (monotonicMs() < deadlineMs && isRunning(daemon)) {
      const log = (await readFile(this.logPath)).subarray(logStart).toString()
      if (log.includes('"msg":"navstar is running"')) return
      await sleep(POLL_MS)
    }
    const log = (await readFile(this.logPath)).subarray(logStart).toString()
    throw new Error(`the daemon of ${this.name} did not start: ${log}`)
  }

  /** Kills the daemon at once, as `kill -9` does, and waits for its end. */
  async killDaemon(): Promise<void> {
    const daemon = this.#daemon
    if (!isRunning(daemon)) return
    const { promise, resolve } = Promise.withResolvers<void>()
    daemon.once('exit', () => resolve())
    daemon.kill('SIGKILL')
    await promise
  }

  /** Takes the host's power: its link is down and its processes are gone at once. */
  async switchOff(): Promise<void> {
    this.#hasPower = false
    await switchOff(this.#demo, this.places)
    await this.#options.mesos.power(this.ip, 'off')
    this.#daemon = undefined
  }

  /** Gives it power again: agent, master and backends start; the daemon is the caller's. */
  async switchOn(): Promise<void> {
    await switchOn(this.#demo, this.places)
    this.#hasPower = true
    await this.#options.mesos.power(this.ip, 'on')
    for (const [index, task] of this.#tasks) await this.startBackend(index, task)
  }

  /** Asks the daemon's API until the answer is as wanted. @returns the answer's text */
  async waitFor(
    path: string,
    isWanted: (text: string) => boolean = () => true,
    withinMs = 30_000,
  ): Promise<string> {
    const deadlineMs = monotonicMs() + withinMs
    while (monotonicMs() < deadlineMs) {
      const text = await this.ask(path)
      if (text !== undefined && isWanted(text)) return text
      await sleep(POLL_MS)
    }
    throw new Error(`${this.name}: ${path} did not become as wanted; see ${this.logPath}`)
  }

  /** Asks the daemon's API once. @returns the answer's text; undefined: no good answer */
  async ask(path: string): Promise<string | undefined> {
    const url = `http://127.0.0.1:62080${path}`
    return this.run(['curl', '-sf', '--max-time', '5', url]).catch(() => undefined)
  }

  /** Runs a command as a client on the host, or in one of its containers. @returns what it printed */
  run(command: readonly string[], container?: number): Promise<string> {
    const namespace = container === undefined ? undefined : this.places.container(container)
    const options = { isClient: true, ...(namespace !== undefined && { namespace }) }
    return outputOf(spawnOnHost(this.places, command, options))
  }

  /** Sends requests, to each address in turn, from the host or one of its containers. */
  async sendRequests(
    count: number,
    urls: readonly string[],
    container?: number,
  ): Promise<LoadReport> {
    const args = ['--count', String(count), ...urls.flatMap((url) => ['--url', url])]
    const program = demoProgram('load/load-main.ts', ...args)
    return JSON.parse(await this.run(program, container)) as LoadReport
  }
}

const POLL_MS = 20
const START_MS = 60_000

function isRunning(child: ChildProcess | undefined): child is ChildProcess {
  return child !== undefined && child.exitCode === null && child.signalCode === null
}

/** What a user can do to a running demo, by script; see {@link COMMANDS}. */
import type { Cluster } from '../cluster/cluster.ts'

/** A command of a demo. */
export interface DemoCommand {
  readonly name: string
  /** Arguments that make sense for hosts of these names. */
  usage(names: readonly string[]): string
  readonly summary: string
  /** @returns what to say @throws Error with what is wrong */
  run(cluster: Cluster, args: readonly string[]): Promise<string>
}

/** The commands; each is a script in the demo's state directory. */
export const COMMANDS: readonly DemoCommand[] = [
  {
    name: 'kill',
    usage: lastOf,
    summary: 'takes the power of a host',
    run: async (cluster, args) => {
      const name = only(args)
      await cluster.kill(name)
      return `${name} is dead: its processes are gone, its link is down`
    },
  },
  {
    name: 'return',
    usage: lastOf,
    summary: 'gives it back',
    run: async (cluster, args) => {
      const name = only(args)
      await cluster.return(name)
      return `${name} is back: agent, backends and daemon run`
    },
  },
  {
    name: 'end-master',
    usage: ([first = '']) => first,
    summary: 'ends the Mesos master on a host; another leads while a majority is left',
    run: async (cluster, args) => {
      const name = only(args)
      await cluster.endMaster(name)
      return `the Mesos master on ${name} has ended`
    },
  },
  {
    name: 'start-master',
    usage: ([first = '']) => first,
    summary: 'starts it again',
    run: async (cluster, args) => {
      const name = only(args)
      await cluster.startMaster(name)
      return `the Mesos master on ${name} runs`
    },
  },
  {
    name: 'join',
    usage: () => '',
    summary: 'adds a host that was never there',
    run: async (cluster) => {
      const host = await cluster.add()
      await cluster.startDaemon(host)
      return `${host.name} (${host.ip}) has joined with one seed and the key`
    },
  },
  {
    name: 'cut',
    usage: halvesOf,
    summary: 'cuts the cluster; hosts that are not named are one more side',
    run: async (cluster, args) => {
      await cluster.cut(args.map((side) => side.split(/[\s,]+/).filter((name) => name !== '')))
      return `the cluster is cut: ${cluster.sides.map((side) => side.join(' ')).join(' | ')}`
    },
  },
  {
    name: 'heal',
    usage: () => '',
    summary: 'makes it whole again',
    run: async (cluster) => {
      const isWhole = cluster.sides.length === 0
      await cluster.heal()
      return isWhole ? 'the cluster was whole' : 'the cluster is whole'
    },
  },
]

function only(args: readonly string[]): string {
  const [name] = args
  if (name === undefined || args.length > 1) throw new Error('say which host, e.g. h2')
  return name
}

function lastOf(names: readonly string[]): string {
  return names.at(-1) ?? ''
}

/** Both halves, e.g. `"h1 h2" "h3 h4"`; a host alone would hold itself cut off and keep all it knew. */
function halvesOf(names: readonly string[]): string {
  const middle = Math.floor(names.length / 2)
  return [names.slice(0, middle), names.slice(middle)]
    .map((half) => `"${half.join(' ')}"`)
    .join(' ')
}

/** Starts programs that cannot outlive this process. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable } from 'node:stream'

const CONSOLE_CHARACTERS = 8192

/** A running program with all its descendants. */
export interface Contained {
  /** What the program's descriptors 3 and 4 write; both are sockets. */
  readonly out: Readable
  readonly err: Readable
  /** The end of what it wrote on its own outputs. */
  readonly console: () => string
  /** Settles when the program and all its descendants are gone. */
  readonly ended: Promise<void>
  /** Kills all of them and waits. */
  close(): Promise<void>
}

/**
 * Starts a program as the first of a PID namespace. The kernel kills it when this process ends, for
 * whatever reason, and everything in the namespace with it: User Mode Linux consists of processes that it
 * traces, and these would otherwise go on untraced.
 */
export function startContained(command: readonly string[]): Contained {
  const contain = ['--pdeathsig', 'KILL', 'unshare', '--fork', '--pid', '--mount-proc']
  const child = spawn('setpriv', [...contain, '--kill-child', ...command], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
  })
  let written = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => {
      written = (written + chunk.toString()).slice(-CONSOLE_CHARACTERS)
    })
  }
  // Not 'exit': the pipes close when the last holder is gone, which may be a little later.
  const ended = endOf(child)
  return {
    out: child.stdio[3] as Readable,
    err: child.stdio[4] as Readable,
    console: () => written,
    ended,
    close: async () => {
      child.kill('SIGKILL')
      await ended
    },
  }
}

async function endOf(child: ChildProcess): Promise<void> {
  // A program that cannot be started closes too; what was lacking is told by the error.
  child.once('error', () => undefined)
  await once(child, 'close')
}

/** `npm run guest -- uml|qemu [OPTIONS] -- COMMAND…`: runs a command in a guest kernel. */
import { mkdir } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { type GuestEnd, type GuestRun, runGuest } from './guest.ts'
import { GUEST_KINDS } from './kinds.ts'

const USAGE = `usage: npm run guest -- uml|qemu [OPTIONS] -- COMMAND…

Runs COMMAND as root in a throw-away kernel that sees this host's files; what it writes is lost.
uml is User Mode Linux (IPVS, no nf_tables); qemu is Debian's kernel, emulated.

  --out DIRECTORY        seen as /out ($GUEST_OUT) by COMMAND; what it writes there stays
  --timeout-seconds N    default 300
  --memory-mib N         default 1024 (uml), 2048 (qemu)

Exit code: COMMAND's; 124 when time is up, 125 when the guest fails.`

const SIGNALS = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const

const TIMED_OUT = 124
const GUEST_FAILED = 125

/** The exit code of an aborted run. */
class Stopped extends Error {
  readonly code: number

  constructor(code: number) {
    super(`stopped, exit code ${code}`)
    this.code = code
  }
}

process.exitCode = await main()

async function main(): Promise<number> {
  const stopping = new AbortController()
  for (const [name, code] of Object.entries(SIGNALS)) {
    process.once(name, () => stopping.abort(new Stopped(code)))
  }
  // The reader of our output is gone.
  process.stdout.once('error', () => stopping.abort(new Stopped(141)))
  try {
    const run = await parseRun(process.argv.slice(2))
    if (run === undefined) {
      console.error(USAGE)
      return 2
    }
    return exitCode(run, await runGuest(run, { signal: stopping.signal }))
  } catch (error) {
    if (error instanceof Stopped) return error.code
    console.error(error instanceof Error ? `guest: ${error.message}` : error)
    return GUEST_FAILED
  }
}

async function parseRun(words: readonly string[]): Promise<GuestRun | undefined> {
  const end = words.indexOf('--')
  const kind = GUEST_KINDS.find((each) => each === words[0])
  const command = words.slice(end + 1)
  if (kind === undefined || end < 1 || command.length === 0) return undefined
  const { values } = parseArgs({
    args: words.slice(1, end),
    options: {
      out: { type: 'string' },
      'timeout-seconds': { type: 'string', default: '300' },
      'memory-mib': { type: 'string', default: kind === 'uml' ? '1024' : '2048' },
    },
  })
  // npm changes to the project's folder and tells where it was called.
  const directory = process.env['INIT_CWD'] ?? process.cwd()
  const outDirectory = values.out === undefined ? undefined : resolve(directory, values.out)
  if (outDirectory !== undefined) await mkdir(outDirectory, { recursive: true })
  const memoryMib = wholeNumber('memory-mib', values['memory-mib'])
  const timeoutMs = wholeNumber('timeout-seconds', values['timeout-seconds']) * 1000
  const { stdout, stderr } = process
  return { kind, command, directory, outDirectory, memoryMib, timeoutMs, stdout, stderr }
}

function wholeNumber(option: string, text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new Error(`--${option} must be a whole number, not ${text}`)
  return Number(text)
}

function exitCode(run: GuestRun, end: GuestEnd): number {
  switch (end.kind) {
    case 'exited':
      return end.code
    case 'timed out':
      console.error(`guest: stopped after ${run.timeoutMs / 1000} s. Its console:\n${end.console}`)
      return TIMED_OUT
    case 'failed':
      console.error(`guest: the kernel ended before the command. Its console:\n${end.console}`)
      return GUEST_FAILED
  }
}

/** Runs a command as root in a throw-away guest kernel over the host's files. */
import { randomBytes } from 'node:crypto'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { type Contained, startContained } from './contained.ts'
import { debianKernel } from './debian-kernel.ts'
import { EndMark } from './end-mark.ts'
import { type Assignment, type GuestKernel, initramfs } from './initramfs.ts'
import { type GuestKind, missingFor } from './kinds.ts'
import type { Machine } from './machine.ts'
import { makeRunDirectory, sweepRunDirectories } from './owned-directory.ts'
import { qemuCommand, qemuKernel, startShare } from './qemu.ts'
import { umlCommand, umlKernel } from './uml.ts'

/** What to run, and where. */
export interface GuestRun {
  readonly kind: GuestKind
  /** Program and arguments; found on a PATH that begins with the project's Node. */
  readonly command: readonly string[]
  /** Where the command starts. */
  readonly directory: string
  /** Folder of the host that is `/out`, `$GUEST_OUT`, in the guest. All else is thrown away. */
  readonly outDirectory?: string | undefined
  readonly memoryMib: number
  readonly timeoutMs: number
  readonly stdout: Writable
  readonly stderr: Writable
}

/** How a run ended. */
export type GuestEnd =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'timed out'; readonly console: string }
  /** The kernel or what is around the command failed. */
  | { readonly kind: 'failed'; readonly console: string }

/**
 * Boots a guest, runs the command, and ends the guest. Nothing is left of it, not even when this
 * process is killed, but a folder that the next run removes.
 *
 * @throws Error when something is missing, naming it; the signal's reason when it is aborted
 */
export async function runGuest(
  run: GuestRun,
  { signal }: { readonly signal: AbortSignal },
): Promise<GuestEnd> {
  const missing = missingFor(run.kind)
  if (missing.length > 0) throw new Error(`a guest of ${run.kind} needs ${missing.join(', ')}`)
  await sweepRunDirectories()
  const runDirectory = await makeRunDirectory(run.kind)
  const processes: Contained[] = []
  try {
    const assignment = { ...run, outDirectory: run.outDirectory, mark: newMark() }
    const machine = {
      runDirectory,
      initramfs: join(runDirectory, 'initramfs'),
      memoryMib: run.memoryMib,
    }
    await START[run.kind](assignment, machine, processes)
    return await follow(run, assignment.mark, { guest: processes.at(-1), signal })
  } finally {
    await Promise.all(processes.map((each) => each.close()))
    await rm(runDirectory, { recursive: true, force: true })
  }
}

type Start = (assignment: Assignment, machine: Machine, processes: Contained[]) => Promise<void>

/** Each adds what it started at once; the guest comes last. */
const START: Readonly<Record<GuestKind, Start>> = {
  uml: async (assignment, machine, processes) => {
    await writeInitramfs(assignment, machine, await umlKernel())
    processes.push(startContained(await umlCommand(machine)))
  },
  qemu: async (assignment, machine, processes) => {
    const kernel = await debianKernel()
    await writeInitramfs(assignment, machine, qemuKernel(kernel))
    const { outDirectory } = assignment
    const shares = [{ tag: 'host', path: '/' }]
    if (outDirectory !== undefined) shares.push({ tag: 'out', path: outDirectory })
    for (const share of shares) processes.push(await startShare(share, machine))
    processes.push(startContained(qemuCommand(kernel.image, shares, machine)))
  },
}

async function writeInitramfs(
  assignment: Assignment,
  { initramfs: path }: Machine,
  kernel: GuestKernel,
): Promise<void> {
  await writeFile(path, await initramfs(assignment, kernel))
}

/** Begins with a control character: what a command writes is hardly ever held back. */
function newMark(): string {
  return `\u001fguest-${randomBytes(12).toString('hex')}`
}

/** Passes the outputs on until both marks came, the guest died, time is up, or the signal comes. */
async function follow(
  run: GuestRun,
  mark: string,
  { guest, signal }: { readonly guest: Contained | undefined; readonly signal: AbortSignal },
): Promise<GuestEnd> {
  if (guest === undefined) throw new Error('no guest was started')
  const out = new EndMark(mark)
  const err = new EndMark(mark)
  guest.out.pipe(out).pipe(run.stdout, { end: false })
  guest.err.pipe(err).pipe(run.stderr, { end: false })
  const timeout = AbortSignal.timeout(run.timeoutMs)
  const stop = AbortSignal.any([signal, timeout])
  const stopped = Promise.withResolvers<GuestEnd>()
  stop.addEventListener('abort', () => {
    if (signal.aborted) stopped.reject(signal.reason)
    else stopped.resolve({ kind: 'timed out', console: guest.console() })
  })
  if (signal.aborted) stopped.reject(signal.reason)
  const marked = async (): Promise<GuestEnd> => {
    const [code] = await Promise.all([out.code, err.code])
    guest.out.unpipe(out)
    guest.err.unpipe(err)
    await Promise.all([passOn(out), passOn(err)])
    return { kind: 'exited', code }
  }
  return await Promise.race([
    stopped.promise,
    marked(),
    guest.ended.then(() => ({ kind: 'failed', console: guest.console() }) as const),
  ])
}

/** Waits until the reader has taken what is left. */
async function passOn(output: EndMark): Promise<void> {
  output.end()
  await finished(output)
}

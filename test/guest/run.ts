/** Runs commands in guests and keeps what they write. */
import { Writable } from 'node:stream'
import { type GuestEnd, type GuestRun, runGuest } from '../../dev/guest/guest.ts'
import type { GuestKind } from '../../dev/guest/kinds.ts'

/** What a guest did. */
export interface GuestResult {
  readonly end: GuestEnd
  readonly stdout: string
  readonly stderr: string
}

/** Runs a script of `sh` in a guest, in the project's folder. */
export async function runScript(
  kind: GuestKind,
  script: string,
  options: Partial<GuestRun> = {},
): Promise<GuestResult> {
  const stdout = new Kept()
  const stderr = new Kept()
  const run: GuestRun = {
    kind,
    command: ['sh', '-c', script],
    directory: process.cwd(),
    memoryMib: 1024,
    timeoutMs: 50_000,
    stdout,
    stderr,
    ...options,
  }
  const end = await runGuest(run, { signal: new AbortController().signal })
  return { end, stdout: stdout.text(), stderr: stderr.text() }
}

class Kept extends Writable {
  readonly #chunks: Buffer[] = []

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#chunks.push(chunk)
    done()
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString()
  }
}

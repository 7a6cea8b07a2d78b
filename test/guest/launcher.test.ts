import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { describe, expect, it } from 'vitest'
import { GUEST_KINDS } from '../../dev/guest/kinds.ts'
import { firstLine, outputOf } from '../../src/demo/host/host-process.ts'
import { requireFeature } from '../feature.ts'
import { runScript } from './run.ts'

const POLLING = { interval: 20, timeout: 10_000 }

function launch(...args: string[]): ChildProcess {
  const program = [process.execPath, 'dev/guest/main.ts', ...args]
  return spawn('nice', program, { stdio: ['ignore', 'pipe', 'pipe'] })
}

/** Folders in /tmp that belong to a launcher. */
async function foldersOf({ pid }: ChildProcess): Promise<string[]> {
  return (await readdir(tmpdir())).filter(
    (name) => name.includes(`navstar-guest-`) && name.includes(`-${pid}-`),
  )
}

/** PIDs of processes, other than zombies, that name a launcher's folder in their arguments. */
async function processesOf({ pid }: ChildProcess): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const lines = await Promise.all(
    pids.map((each) => readFile(`/proc/${each}/cmdline`, 'utf8').catch(() => '')),
  )
  return pids.filter((_, index) =>
    new RegExp(`navstar-guest-(uml|qemu)-${pid}-`).test(lines[index] ?? ''),
  )
}

async function expectProcesses(launcher: ChildProcess, expected: boolean): Promise<void> {
  await expect.poll(async () => (await processesOf(launcher)).length > 0, POLLING).toBe(expected)
}

describe('npm run guest', () => {
  it.for(GUEST_KINDS)(
    'leaves nothing of a %s that is stopped while it boots',
    async (kind, ctx) => {
      await requireFeature(ctx, kind)
      const launcher = launch(kind, '--', 'sleep', '60')
      await expectProcesses(launcher, true)
      launcher.kill('SIGTERM')
      expect(await once(launcher, 'close')).toEqual([143, null])
      await expectProcesses(launcher, false)
      expect(await foldersOf(launcher)).toEqual([])
    },
  )

  it('leaves no guest when it is killed, and the next run removes its folder', async (ctx) => {
    await requireFeature(ctx, 'uml')
    const launcher = launch('uml', '--', 'sh', '-c', 'echo up; sleep 60')
    await firstLine(launcher, 'up')
    launcher.kill('SIGKILL')
    await expectProcesses(launcher, false)
    expect(await foldersOf(launcher)).toHaveLength(1)
    await runScript('uml', 'true')
    expect(await foldersOf(launcher)).toEqual([])
  })

  it('stops a command that takes too long, with exit code 124', async (ctx) => {
    await requireFeature(ctx, 'uml')
    const launcher = launch('uml', '--timeout-seconds', '3', '--', 'sleep', '60')
    expect(await once(launcher, 'close')).toEqual([124, null])
    await expectProcesses(launcher, false)
  })

  it('exits with 125 and shows the console when the kernel ends first', async (ctx) => {
    await requireFeature(ctx, 'uml')
    const launcher = launch('uml', '--', 'poweroff', '-f')
    expect(await once(launcher, 'close')).toEqual([125, null])
  })

  it('tells its usage', async () => {
    await expect(outputOf(launch('uml'))).rejects.toThrow('ended with 2')
  })
})

/** What changes in the host's nf_tables and routes, as monitors tell it, and in its IPVS. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { run } from '../../src/demo/run.ts'
import { hasNftables } from './masquerade.ts'
import type { Rig } from './rig.ts'

/**
 * Runs something and tells what it wrote, one line per object. The table `mark`, where the kernel can
 * have one, and a route to 203.0.113.1 are written before and after, to know where the record begins
 * and ends. IPVS has no monitor: what it holds is compared.
 */
export async function writesDuring<T>(
  { places, kind }: Rig,
  work: () => Promise<T>,
): Promise<{ result: T; written: string[] }> {
  const namespace = `--net=${places.namespacePath('host')}`
  const hasTables = await hasNftables(places)
  const monitors = [...(hasTables ? [['nft', 'monitor']] : []), ['ip', 'monitor', 'route']].map(
    (command) => record([namespace, ...command]),
  )
  const ipvs = () => (kind === 'ipvs' ? run('nsenter', [namespace, 'ipvsadm', '-Sn']) : '')
  const mark = async (name: string) => {
    do {
      const table = `add table ip ${name}; delete table ip ${name}`
      if (hasTables) await run('nsenter', [namespace, 'nft', table])
      await run('nsenter', [namespace, 'ip', 'route', 'add', 'blackhole', address(name)])
      await run('nsenter', [namespace, 'ip', 'route', 'delete', 'blackhole', address(name)])
    } while (!monitors.every(({ lines }) => lines.some((line) => isMark(line, name))))
  }
  try {
    await mark('mark1')
    const before = await ipvs()
    const result = await work()
    const after = await ipvs()
    await mark('mark2')
    const written = monitors.flatMap(({ lines }) => lines.filter((line) => !isAnyMark(line)))
    return { result, written: before === after ? written : [...written, after] }
  } finally {
    for (const { end } of monitors) end()
  }
}

const ADDRESSES: Readonly<Record<string, string>> = { mark1: '203.0.113.1', mark2: '203.0.113.2' }

function address(name: string): string {
  return ADDRESSES[name] ?? ''
}

function isMark(line: string, name: string): boolean {
  return line.includes(name) || line.includes(address(name))
}

function isAnyMark(line: string): boolean {
  return isMark(line, 'mark1') || isMark(line, 'mark2') || line.startsWith('# new generation')
}

function record(args: readonly string[]): { readonly lines: string[]; end(): void } {
  const child = spawn('nsenter', [...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  const lines: string[] = []
  createInterface(child.stdout).on('line', (line) => void lines.push(line))
  return { lines, end: () => void child.kill() }
}

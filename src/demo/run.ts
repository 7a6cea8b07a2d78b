import { spawn } from 'node:child_process'

/** Runs a command to its end. @returns what it printed @throws Error with its last words */
export async function run(command: string, args: readonly string[], input = ''): Promise<string> {
  const child = spawn(command, [...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  let output = ''
  let complaint = ''
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()))
  child.once('error', reject)
  child.once('close', (code) => resolve(code ?? 1))
  child.stdin.on('error', () => undefined) // the exit code tells more
  child.stdin.end(input)
  const code = await promise
  if (code === 0) return output
  throw new Error(`${[command, ...args].join(' ')}: exit ${code}: ${complaint.trim()}`)
}

/** Runs `ip -batch` with these lines. */
export async function ipBatch(lines: readonly string[]): Promise<void> {
  await run('ip', ['-batch', '-'], `${lines.join('\n')}\n`)
}

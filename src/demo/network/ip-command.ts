import { run } from '../run.ts'

/** Runs lines of `ip -batch` in a namespace; those that start with `-6 ` after the others. */
export async function ipIn(namespace: string, lines: readonly string[]): Promise<void> {
  const lines4 = lines.filter((line) => !line.startsWith('-6 '))
  const lines6 = lines.filter((line) => line.startsWith('-6 ')).map((line) => line.slice(3))
  if (lines4.length > 0) await batch(['-n', namespace], lines4)
  if (lines6.length > 0) await batch(['-6', '-n', namespace], lines6)
}

/** Forwarding on; no address detection delays, no router advertisements. */
export async function quiet(namespace: string): Promise<void> {
  const settings = [
    'echo 1 > ipv4/ip_forward',
    'echo 1 > ipv6/conf/all/forwarding',
    'echo 0 > ipv6/conf/default/accept_dad',
    'echo 0 > ipv6/conf/all/accept_dad',
    'echo 0 > ipv6/conf/default/accept_ra',
  ]
  const script = ['cd /proc/sys/net', ...settings].join(' && ')
  await run('ip', ['netns', 'exec', namespace, 'sh', '-c', script])
}

async function batch(options: readonly string[], lines: readonly string[]): Promise<void> {
  await run('ip', [...options, '-batch', '-'], `${lines.join('\n')}\n`)
}

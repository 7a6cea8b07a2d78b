import { createHash, randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'

/** Makes a new key of a cluster and writes it for the owner's eyes alone; see docs/gossip.md. */
export async function writeClusterKey(path: string): Promise<void> {
  const key = randomBytes(32)
  const digest = createHash('sha256').update('navstar key id').update(key).digest('hex')
  const ring = { use: digest.slice(0, 8), keys: [key.toString('base64')] }
  await writeFile(path, `${JSON.stringify(ring)}\n`, { mode: 0o600, flag: 'wx' })
}

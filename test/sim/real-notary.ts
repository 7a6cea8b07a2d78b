/** Ed25519 identities that are the same for the same name. */
import { createHash, createPrivateKey } from 'node:crypto'
import type { Notary } from '../../src/gossip/engine/statements.ts'
import { openNotary } from '../../src/gossip/wire/notary.ts'

/** PKCS #8 around a seed of 32 bytes. **Source:** RFC 8410 §7 */
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex')

/** The notary of an identity, e.g. `7/12/1`. */
export function openRealNotary(identity: string): Notary {
  const seed = createHash('sha256').update(`sim ${identity}`).digest()
  const key = Buffer.concat([PKCS8_PREFIX, seed])
  return openNotary({
    privateKey: createPrivateKey({ key, format: 'der', type: 'pkcs8' }),
    clusterId: 'sim',
  })
}

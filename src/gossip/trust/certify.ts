/** What a cluster's CA does: it says once per node that the node may take part. */
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { NavstarError } from '../../base/error.ts'
import { silentLog } from '../../base/log.ts'
import { createFile } from '../../base/replace-file.ts'
import type { NodeId } from '../../model/node-id.ts'
import { openIdentity } from '../state/state-directory.ts'
import { generateIdentity, openNotary, signCertificate } from '../wire/notary.ts'
import { bytesOfPublicKey } from '../wire/public-keys.ts'

/** What is certified. */
export interface CertifyRequest {
  /** The CA's private key as PEM; made when the file is not there. */
  readonly caKeyFile: string
  readonly clusterId: string
  readonly node: NodeId
}

/** What the options of a node take, in base64. */
export interface NodeCredentials {
  /** `--gossip-ca`, the same for all nodes. */
  readonly ca: string
  /** `--gossip-certificate`, for this node alone. */
  readonly certificate: string
}

/** Certifies a node. @throws NavstarError `GOSSIP_KEY_INVALID` */
export async function certify(request: CertifyRequest): Promise<NodeCredentials> {
  const { caKeyFile: path, clusterId, node } = request
  await createFile(path, generateIdentity().privateKeyPem)
  const caPrivateKey = await readFile(path, 'utf8')
  const certificate = signCertificate({ caPrivateKey, clusterId, node })
  const publicKey = createPublicKey(createPrivateKey(caPrivateKey))
  return { ca: base64(bytesOfPublicKey(publicKey)), certificate: base64(certificate) }
}

/** The id of the node that this state directory is of; makes its key when there is none. */
export async function nodeIdIn(stateDirectory: string): Promise<NodeId> {
  try {
    const privateKey = await openIdentity(stateDirectory, silentLog)
    return openNotary({ privateKey, clusterId: '' }).node
  } catch (cause) {
    if (cause instanceof NavstarError) throw cause
    throw new NavstarError('GOSSIP_STATE_UNUSABLE', { attempt: `use ${stateDirectory}`, cause })
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64')
}

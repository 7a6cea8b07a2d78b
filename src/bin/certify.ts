import { NavstarError } from '../base/error.ts'
import { certify, nodeIdIn } from '../gossip/gossip.ts'
import { type NodeId, parseNodeId } from '../model/node-id.ts'
import { type Command, type GivenFlags, JSON_FLAG } from './command.ts'
import { CONFIG_FLAGS } from './flags.ts'

const STATE_DIRECTORY = '/var/lib/navstar'

/** `navstar identity`: who this node is. */
export const identityCommand: Command = {
  name: 'identity',
  summary: 'Print the id of this node; makes its key when there is none',
  description: 'The id is what a cluster’s CA certifies, see navstar certify.',
  flags: [JSON_FLAG, ...CONFIG_FLAGS.filter(({ name }) => name === 'state-directory')],
  run: printIdentity,
}

/** `navstar certify`: the CA of a cluster. */
export const certifyCommand: Command = {
  name: 'certify',
  summary: 'Say as the CA of a cluster that a node may take part',
  description: [
    'Run it where the CA’s private key is kept, which need not be a node. Prints what the node’s',
    'options --gossip-ca and --gossip-certificate take.',
  ].join('\n'),
  flags: [
    {
      name: 'ca-key-file',
      placeholder: 'FILE',
      help: 'The CA’s private key, Ed25519 as PEM; made when it is not there',
    },
    { name: 'cluster-id', placeholder: 'NAME', help: 'The cluster' },
    { name: 'node', placeholder: 'ID', help: 'What navstar identity prints on the node' },
    JSON_FLAG,
  ],
  run: printCertificate,
}

async function printIdentity({ values, switches }: GivenFlags): Promise<number> {
  const node = await nodeIdIn(values['state-directory'] ?? STATE_DIRECTORY)
  console.log(switches.has('json') ? JSON.stringify({ node }) : node)
  return 0
}

async function printCertificate({ values, switches }: GivenFlags): Promise<number> {
  const { 'ca-key-file': caKeyFile, 'cluster-id': clusterId, node: text } = values
  const node: NodeId | undefined = text === undefined ? undefined : parseNodeId(text)
  if (caKeyFile === undefined || clusterId === undefined || node === undefined) {
    const cause = 'expected --ca-key-file, --cluster-id and --node with 32 hex digits'
    const hint = 'See navstar certify --help.'
    throw new NavstarError('CONFIG_INVALID', { attempt: 'navstar certify', cause, hint })
  }
  const { ca, certificate } = await certify({ caKeyFile, clusterId, node })
  const lines = [`gossip-ca           ${ca}`, `gossip-certificate  ${certificate}`]
  console.log(switches.has('json') ? JSON.stringify({ ca, certificate }) : lines.join('\n'))
  return 0
}

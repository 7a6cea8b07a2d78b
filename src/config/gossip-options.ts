/** The options of gossip, and what must hold among them. */
import { GOSSIP_DEFAULTS, GOSSIP_PORT, type GossipOptions } from '../gossip/config.ts'
import { type Endpoint, parseEndpoint } from '../model/endpoint.ts'
import { fail, nonEmpty, type Option, splitList, wholeNumber } from './option.ts'

/** The options of gossip by the name that the composition uses. */
export interface GossipOptionTable {
  readonly clusterId: Option<string>
  readonly gossipKeyFile: Option<string>
  readonly gossipListen: Option<GossipOptions['listen']>
  readonly gossipSeeds: Option<readonly Endpoint[]>
  readonly gossipCa: Option<string>
  readonly gossipCertificate: Option<string>
  readonly stateDirectory: Option<string>
  readonly gossipDatagramBytes: Option<number>
}

/** The options of gossip. */
export const GOSSIP_OPTIONS: GossipOptionTable = {
  clusterId: {
    name: 'cluster-id',
    placeholder: 'NAME',
    help: 'Joins the cluster of this name; without it the node stands alone',
    parse: parseClusterId,
  },
  gossipKeyFile: {
    name: 'gossip-key-file',
    placeholder: 'FILE',
    help: 'The keys of the cluster, the same on every node',
    parse: nonEmpty,
  },
  gossipListen: {
    name: 'gossip-listen',
    placeholder: 'ADDRESS:PORT|:PORT',
    help: 'Where nodes gossip, UDP and TCP; default: this node’s address',
    defaultText: `:${GOSSIP_PORT}`,
    parse: parseListen,
  },
  gossipSeeds: {
    name: 'gossip-seed',
    placeholder: 'ADDRESS[:PORT],…',
    help: 'Nodes to join the cluster through; any one that answers is enough',
    parse: parseSeeds,
  },
  gossipCa: {
    name: 'gossip-ca',
    placeholder: 'FILE|BASE64',
    help: 'Ed25519 public key of the cluster’s CA; then only certified nodes are believed',
    parse: nonEmpty,
  },
  gossipCertificate: {
    name: 'gossip-certificate',
    placeholder: 'FILE|BASE64',
    help: 'What the cluster’s CA signed for this node',
    parse: nonEmpty,
  },
  stateDirectory: {
    name: 'state-directory',
    placeholder: 'DIRECTORY',
    help: 'Where this node keeps its identity and the members that it knew',
    defaultText: GOSSIP_DEFAULTS.stateDirectory,
    parse: nonEmpty,
  },
  gossipDatagramBytes: {
    name: 'gossip-datagram-bytes',
    placeholder: 'BYTES',
    help: 'The largest gossip datagram, UDP payload',
    defaultText: String(GOSSIP_DEFAULTS.datagramBytes),
    parse: wholeNumber(512, 65_507),
  },
}

/** Composes the slice of gossip; what contradicts itself goes to `problems`. */
export function composeGossip(
  read: <T>(option: Option<T>) => T | undefined,
  problems: string[],
): GossipOptions {
  const clusterId = read(GOSSIP_OPTIONS.clusterId)
  const keyFile = read(GOSSIP_OPTIONS.gossipKeyFile)
  const seeds = read(GOSSIP_OPTIONS.gossipSeeds)
  const caKey = read(GOSSIP_OPTIONS.gossipCa)
  const certificate = read(GOSSIP_OPTIONS.gossipCertificate)
  const needs = (option: unknown, needed: unknown, sentence: string): void => {
    if (option !== undefined && needed === undefined) problems.push(sentence)
  }
  needs(clusterId, keyFile, 'cluster-id needs gossip-key-file: make one with `navstar keys`')
  needs(keyFile, clusterId, 'gossip-key-file needs cluster-id')
  needs(seeds, clusterId, 'gossip-seed needs cluster-id')
  needs(
    caKey,
    certificate,
    'gossip-ca needs gossip-certificate: others would not believe this node',
  )
  needs(certificate, caKey, 'gossip-certificate needs gossip-ca')
  needs(caKey, clusterId, 'gossip-ca needs cluster-id')
  return {
    ...(clusterId !== undefined && { clusterId }),
    ...(keyFile !== undefined && { keyFile }),
    ...(caKey !== undefined && { caKey }),
    ...(certificate !== undefined && { certificate }),
    listen: read(GOSSIP_OPTIONS.gossipListen) ?? GOSSIP_DEFAULTS.listen,
    seeds: seeds ?? GOSSIP_DEFAULTS.seeds,
    stateDirectory: read(GOSSIP_OPTIONS.stateDirectory) ?? GOSSIP_DEFAULTS.stateDirectory,
    datagramBytes: read(GOSSIP_OPTIONS.gossipDatagramBytes) ?? GOSSIP_DEFAULTS.datagramBytes,
  }
}

function parseClusterId(text: string): string {
  const isName = /^[\w.:-]{1,128}$/.test(text)
  return isName ? text : fail('expected 1 to 128 letters, digits or ._:-')
}

function parseListen(text: string): GossipOptions['listen'] {
  const port = /^:(\d{1,5})$/.exec(text)?.[1]
  if (port !== undefined && Number(port) < 65_536) return { port: Number(port) }
  return parseEndpoint(text, GOSSIP_PORT) ?? fail('expected ADDRESS:PORT or :PORT')
}

function parseSeeds(text: string): readonly Endpoint[] {
  return splitList(text).map(
    (part) => parseEndpoint(part, GOSSIP_PORT) ?? fail(`'${part}' is no ADDRESS:PORT`),
  )
}

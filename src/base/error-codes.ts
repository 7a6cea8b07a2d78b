/**
 * Every code that navstar reports: a summary, a hint for the operator, the effect on state, in alphabetical order. Codes are never reused.
 * `docs/errors.md` lists the same; a test compares both.
 */
export const ERROR_CODES = {
  ADDRESS_CLAIMS_NOT_KEPT: {
    summary: 'The addresses of named VIPs cannot be kept over a restart',
    hint: 'See --state-directory; until then the addresses are known only to the running cluster.',
    effect: 'none',
  },
  ADDRESS_CLAIMS_UNREADABLE: {
    summary: 'The kept addresses of named VIPs cannot be read',
    hint: 'The file is ignored and written anew; names get the addresses that the cluster knows.',
    effect: 'none',
  },
  ADDRESS_RANGE_FULL: {
    summary: 'No free address for a named VIP',
    hint: 'Enlarge the VIP range (--vip-range); the VIP stays without an address until then.',
    effect: 'none',
  },
  ADMIN_BIND_FAILED: {
    summary: 'The admin address cannot be bound',
    hint: 'Another process holds the port; choose another with --admin-listen.',
    effect: 'none',
  },
  ADMIN_HOST_REFUSED: {
    summary: 'A request names a host that is not this one',
    hint: 'Ask by loopback or by the address that the daemon listens on (--admin-listen).',
    effect: 'none',
  },
  ADMIN_METHOD_REFUSED: {
    summary: 'The resource does not take this method',
    hint: 'The Allow header names the methods it takes.',
    effect: 'none',
  },
  ADMIN_NOT_FOUND: {
    summary: 'There is no such resource',
    hint: 'Check the path; an older daemon may not have it yet.',
    effect: 'none',
  },
  ADMIN_REQUEST_INVALID: {
    summary: 'The request could not be understood',
    hint: 'The cause names what is wrong; a POST takes JSON with its content type.',
    effect: 'none',
  },
  ADMIN_UNREACHABLE: {
    summary: 'The daemon does not answer',
    hint: 'Is `navstar agent` running on this host? Its address is set with --admin-listen.',
    effect: 'none',
  },
  BACKEND_FAMILY_MISMATCH: {
    summary: 'A backend has no address of its VIP’s family',
    hint: 'Give the task an address of the same family as the literal VIP.',
    effect: 'none',
  },
  BPF_LOAD_FAILED: {
    summary: 'The kernel refused the BPF programs',
    hint: 'Run `navstar doctor`; --plane nftables works without BPF.',
    effect: 'none',
  },
  BPF_MAP_FAILED: {
    summary: 'A BPF map could not be read or written',
    hint: 'The next round reads the map again and repairs it; if it repeats, see the errno.',
    effect: 'partial',
  },
  CLUSTER_ISOLATED: {
    summary: 'Every other node looks gone',
    hint: 'This node is probably cut off: it keeps all backends until it hears from others again.',
    effect: 'none',
  },
  CONFIG_INVALID: {
    summary: 'The configuration is invalid',
    hint: 'Each problem is listed; `navstar agent --help` names every option.',
    effect: 'none',
  },
  DNS_BIND_FAILED: {
    summary: 'A DNS address cannot be bound',
    hint: 'Another resolver holds the port, or the address is not on this host; see --dns-listen.',
    effect: 'none',
  },
  DNS_FORWARD_FAILED: {
    summary: 'No upstream resolver answered',
    hint: 'Check the upstreams (--dns-upstream, else /etc/resolv.conf) from this host.',
    effect: 'none',
  },
  DNS_MESSAGE_INVALID: {
    summary: 'A DNS message could not be parsed',
    hint: 'The sender speaks no valid DNS; it was answered FORMERR or dropped.',
    effect: 'none',
  },
  GOSSIP_BIND_FAILED: {
    summary: 'The gossip address cannot be bound',
    hint: 'Another process holds the port, or the address is not on this host; see --gossip-listen.',
    effect: 'none',
  },
  GOSSIP_KEYS_INVALID: {
    summary: 'The cluster’s key file is unusable',
    hint: 'See `navstar keys`; all nodes of a cluster need the same file.',
    effect: 'none',
  },
  GOSSIP_KEY_INVALID: {
    summary: 'A key of a node or of the cluster CA is no Ed25519 key',
    hint: 'Private keys are PEM (PKCS #8); the CA’s public key is base64 of 32 bytes.',
    effect: 'none',
  },
  GOSSIP_MEMBER_ALIVE: {
    summary: 'A node that is alive cannot be forgotten',
    hint: 'Run `navstar leave --yes` there, or stop its daemon first.',
    effect: 'none',
  },
  GOSSIP_MEMBER_UNKNOWN: {
    summary: 'No such node is known here',
    hint: 'List them with `navstar nodes`; the node may be forgotten already.',
    effect: 'none',
  },
  GOSSIP_STATE_UNUSABLE: {
    summary: 'The state directory of this node cannot be used',
    hint: 'Without it the node would be another one after each start; see --state-directory.',
    effect: 'none',
  },
  KERNEL_OPERATION_FAILED: {
    summary: 'The kernel refused an operation',
    hint: 'The errno says why; the object is retried with back-off.',
    effect: 'partial',
  },
  KERNEL_READ_FAILED: {
    summary: 'Kernel state could not be read',
    hint: 'Nothing is changed until it can be read; run `navstar doctor`.',
    effect: 'none',
  },
  LABEL_COLLISION: {
    summary: 'Two VIP labels share one DNS name',
    hint: 'Rename one of the labels: dropped characters such as `/` do not tell names apart.',
    effect: 'none',
  },
  LABEL_INVALID: {
    summary: 'A VIP label is malformed',
    hint: 'Write `/name:port`, `1.2.3.4:port` or `[v6]:port`.',
    effect: 'none',
  },
  MASTERS_UNREADABLE: {
    summary: 'The list of masters or of ZooKeeper’s servers cannot be read',
    hint: 'Check --masters: a master_list is a JSON array; what was known before is kept.',
    effect: 'none',
  },
  MASTER_INVALID: {
    summary: 'A master’s entry in ZooKeeper cannot be understood',
    hint: 'It is skipped: the next master is asked, which redirects to the leader.',
    effect: 'none',
  },
  MASTER_SILENT: {
    summary: 'The leading master fell silent: not even heartbeats come',
    hint: 'It subscribes again by itself; if it lasts, see whether the master and the path to it work.',
    effect: 'none',
  },
  MASTER_UNKNOWN: {
    summary: 'No master says who leads',
    hint: 'Check --masters and that mesos-master runs there; the last known leader is kept.',
    effect: 'none',
  },
  MESOS_FORBIDDEN: {
    summary: 'Mesos refused our credentials',
    hint: 'Set --mesos-token or --mesos-credential for a principal that may view state.',
    effect: 'none',
  },
  MESOS_REDIRECT_LOOP: {
    summary: 'Mesos redirected too often',
    hint: 'Two nodes point at each other; the next poll tries again.',
    effect: 'none',
  },
  MESOS_RESPONSE_INVALID: {
    summary: 'Mesos answered something that is no state',
    hint: 'Is the address a Mesos agent (port 5051)? The last known tasks are kept.',
    effect: 'none',
  },
  MESOS_RESPONSE_TOO_LARGE: {
    summary: 'A Mesos answer exceeds the size limit',
    hint: 'Raise --mesos-max-state-bytes; the last known tasks are kept.',
    effect: 'none',
  },
  MESOS_UNAVAILABLE: {
    summary: 'Mesos cannot answer yet',
    hint: 'The agent is recovering or has no leader; polling goes on with back-off.',
    effect: 'none',
  },
  MESOS_UNREACHABLE: {
    summary: 'Mesos does not answer',
    hint: 'Check --mesos and that mesos-agent runs; the last known tasks are kept.',
    effect: 'none',
  },
  MESOS_UNTRUSTED: {
    summary: 'Mesos shows a certificate that is not trusted',
    hint: 'Set --mesos-ca to the certificate of the CA that signed it, and see that it is for this host.',
    effect: 'none',
  },
  NATIVE_MISSING: {
    summary: 'The native addon is not built',
    hint: 'Run `npm run build`.',
    effect: 'none',
  },
  PLANE_SWITCH_FAILED: {
    summary: 'Another data plane could not take over',
    hint: 'The one before goes on as if nothing had been. `navstar plane` tells what each lacks.',
    effect: 'none',
  },
  PLANE_UNAVAILABLE: {
    summary: 'No data plane works on this host',
    hint: 'Run `navstar doctor`: it names what each plane lacks.',
    effect: 'none',
  },
  RECORD_INVALID: {
    summary: 'A record of another node cannot be used',
    hint: 'What can be read of it is used; the node may be of another version.',
    effect: 'none',
  },
  RECORD_TOO_LARGE: {
    summary: 'Backends of a VIP cannot be told to other nodes',
    hint: 'Shorten the VIP label, or spread the tasks over more nodes.',
    effect: 'partial',
  },
  TASK_INVALID: {
    summary: 'A task could not be understood',
    hint: 'It is skipped and counted; the other tasks work. The cause names the field.',
    effect: 'none',
  },
  UNEXPECTED: {
    summary: 'An unexpected error',
    hint: 'This is a bug in navstar; please report it with the cause.',
    effect: 'unknown',
  },
  VIP_ADDRESS_COLLISION: {
    summary: 'A literal VIP has the address and port of a named VIP',
    hint: 'Give the literal VIP an address outside of --vip-range; it is served until then.',
    effect: 'none',
  },
  VIP_OPTION_CONTESTED: {
    summary: 'Tasks of one VIP ask for different values of an option',
    hint: 'While a service is rolled this passes by itself; else give all its tasks the same labels.',
    effect: 'none',
  },
  VIP_OPTION_INVALID: {
    summary: 'An option of a VIP could not be understood',
    hint: 'Correct the label; the VIP is served without the option until then.',
    effect: 'none',
  },
  VIP_OPTION_UNSUPPORTED: {
    summary: 'The data plane of this node cannot carry out an option of a VIP',
    hint: 'The VIP is served without it here. docs/vip-options.md says what each plane can do.',
    effect: 'none',
  },
  VIP_UNKNOWN: {
    summary: 'No VIP of this node has that name or address',
    hint: 'List all with navstar vips; name one as web, web.marathon or 11.0.0.37:80.',
    effect: 'none',
  },
  ZOOKEEPER_FORBIDDEN: {
    summary: 'ZooKeeper refused to be read',
    hint: 'Give credentials that may read the path: --masters zk://USER:PASSWORD@HOST:2181/mesos.',
    effect: 'none',
  },
  ZOOKEEPER_UNREACHABLE: {
    summary: 'ZooKeeper does not answer',
    hint: 'Check --masters and that ZooKeeper has a quorum; the last known leader is kept.',
    effect: 'none',
  },
} as const

/** A code of the registry. */
export type ErrorCode = keyof typeof ERROR_CODES

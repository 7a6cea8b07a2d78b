/** What an operator reads at night: one line with what, since when, what works, what to do. */
import { expect, test } from 'vitest'
import { NavstarError } from '../../src/base/error.ts'
import type { ErrorCode } from '../../src/base/error-codes.ts'
import { sourceText } from '../../src/bin/source-text.ts'
import type { SourceView } from '../../src/daemon/mesos-status.ts'
import { problemView } from '../../src/daemon/problem.ts'

const since = '2026-01-31T00:00:00.000Z'
const problem = (code: ErrorCode) => problemView(new NavstarError(code, { attempt: 'test' }))
const agent = { source: 'agent', from: '10.0.0.1:5051', state: 'stale', since } as const
const leader = {
  ...({ source: 'leader', from: 'zk://a:2181/mesos', state: 'stale', since } as const),
  leader: '10.0.0.9:5050',
}
const stream = { source: 'stream', from: '10.0.0.9:5050', state: 'stale', since } as const
const refused = 'connect ECONNREFUSED 10.0.0.1:5051'
const NEWS =
  'VIPs do not need it, each node polls its own agent; only news take up to a poll longer.'
const STAY = 'VIPs stay as they were; tasks that start or end here are not seen.'

const CASES: readonly (readonly [name: string, view: SourceView, text: string])[] = [
  [
    'an agent that is unreachable',
    { ...agent, problem: problem('MESOS_UNREACHABLE'), reason: refused },
    `10.0.0.1:5051 does not answer since ${since} (${refused}). ${STAY} Start mesos-agent, or correct --mesos.`,
  ],
  [
    'an agent that was never there, where there need be none',
    {
      ...{ ...agent, state: 'searching', problem: problem('MESOS_UNREACHABLE') },
      ...{ reason: refused, mayBeAbsent: true },
    },
    `10.0.0.1:5051 does not answer since ${since} (${refused}). VIPs in the kernel stay; this node’s tasks are not known yet. Start mesos-agent; on a node where none is meant to run, start navstar with --mesos none.`,
  ],
  [
    'an agent that is gone for good',
    {
      ...{ ...agent, problem: problem('MESOS_UNREACHABLE'), reason: refused },
      gone: { agent: 'a-S1', by: 'the leading master' },
    },
    `10.0.0.1:5051 does not answer since ${since} (${refused}): agent a-S1 is gone for good, says the leading master. Its tasks were withdrawn. They come back with an agent that answers.`,
  ],
  [
    'an agent that answers 401',
    { ...agent, problem: problem('MESOS_FORBIDDEN'), reason: 'HTTP status 401' },
    `10.0.0.1:5051 refuses our credentials since ${since} (HTTP status 401). ${STAY} Set --mesos-token or --mesos-credential for a principal that may view state.`,
  ],
  [
    'an agent that recovers',
    { ...agent, problem: problem('MESOS_UNAVAILABLE'), reason: 'HTTP status 503' },
    `10.0.0.1:5051 is not ready yet since ${since} (HTTP status 503). ${STAY} It recovers by itself; if that takes minutes, read the agent’s log.`,
  ],
  [
    'ZooKeeper that is unreachable',
    { ...leader, problem: problem('ZOOKEEPER_UNREACHABLE'), reason: 'silent for 7000 ms' },
    `zk://a:2181/mesos does not answer since ${since} (silent for 7000 ms). VIPs do not need it; the last known leader 10.0.0.9:5050 is followed on, a new one would not be noticed. Check --masters and that ZooKeeper has a quorum.`,
  ],
  [
    'a cluster without a leader',
    { source: 'leader', from: 'zk://a:2181/mesos', state: 'missing', since },
    `no master leads since ${since}, says zk://a:2181/mesos. VIPs stay and follow each node’s own agent; only the masters’ news are missing. See whether mesos-master runs and has its quorum.`,
  ],
  [
    'a stream without a leader',
    { ...stream, from: 'no leader', state: 'searching' },
    `there is no leader to follow since ${since}. ${NEWS} See the line of the leader.`,
  ],
  [
    'a leader that is unreachable',
    { ...stream, problem: problem('MESOS_UNREACHABLE'), reason: 'connect ETIMEDOUT' },
    `10.0.0.9:5050 does not answer since ${since} (connect ETIMEDOUT). ${NEWS} See whether mesos-master runs there.`,
  ],
  [
    'a stream that is silent',
    { ...stream, problem: problem('MASTER_SILENT'), reason: 'silent for 45000 ms' },
    `10.0.0.9:5050 has been silent beyond its heartbeats since ${since} (silent for 45000 ms). ${NEWS} It subscribes again by itself; if it lasts, see whether the master and the path to it work.`,
  ],
  [
    'a stream whose state is on the way',
    { ...stream, isReceiving: true },
    `10.0.0.9:5050 is subscribed to, its state is still on the way; not current since ${since}. ${NEWS} Wait; if it lasts minutes, see how busy the master is.`,
  ],
  [
    'audits that fail',
    {
      ...{ source: 'stream', from: '10.0.0.9:5050', state: 'current' },
      audit: { since, problem: problem('MESOS_FORBIDDEN'), reason: 'HTTP status 403' },
    },
    `10.0.0.9:5050 is followed, but its audits fail since ${since}: HTTP status 403. Events still come; what the master leaves out of them is not made up for. Set --mesos-token or --mesos-credential for a principal that may view state.`,
  ],
  [
    'a certificate that is not trusted',
    { ...agent, problem: problem('MESOS_UNTRUSTED'), reason: 'self-signed certificate' },
    `10.0.0.1:5051 shows a certificate that is not trusted since ${since} (self-signed certificate). ${STAY} Set --mesos-ca to the certificate of the CA that signed it, and see that it is for this host.`,
  ],
  [
    'a master that recovers',
    { ...stream, problem: problem('MESOS_UNAVAILABLE'), reason: 'HTTP status 503' },
    `10.0.0.9:5050 is not ready yet since ${since} (HTTP status 503). ${NEWS} It recovers, or has no leader; if that takes minutes, read the master’s log.`,
  ],
]

test.each(CASES)('%s', (_name, view, text) => {
  expect(sourceText(view)).toBe(text)
})

/** Where masters announce themselves: ZooKeeper for real, or one in memory. Both can be lost. */
import { systemClock } from '../../../src/base/clock.ts'
import { silentLog } from '../../../src/base/log.ts'
import {
  type LeaderSource,
  type LeaderSourceOptions,
  openLeaderSource,
} from '../../../src/mesos/master/leader.ts'
import { ZOOKEEPER_TIMING } from '../../../src/mesos/master/zookeeper.ts'
import { AnnouncedMaster } from '../master/announced-master.ts'
import { FakeZooKeeper } from '../master/fake-zookeeper.ts'
import type { ZooKeeperEnsemble } from '../master/zookeeper-server.ts'

/** A path of ZooKeeper with the masters of a test. */
export interface Election {
  /** Follows who leads. */
  readonly open: () => LeaderSource
  /** @returns what takes the announcement back */
  readonly announce: (content: string) => Promise<() => Promise<void>>
  /** It answers nobody any more. */
  readonly lose: () => void
  readonly restore: () => void
}

const BACKOFF = { baseMs: 20, maxMs: 60 }

function follow(
  options: Pick<LeaderSourceOptions, 'masters' | 'openSession' | 'zooKeeperTiming'>,
): LeaderSource {
  return openLeaderSource({
    ...{ clock: systemClock, random: { next: () => 0.5 }, log: silentLog },
    ...options,
  })
}

/** In memory. */
export function electionInMemory(): Election {
  const zookeeper = new FakeZooKeeper()
  let sequence = 0
  const servers = [{ host: 'a', port: 2181 as never }]
  return {
    open: () =>
      follow({
        masters: { kind: 'zookeeper', servers, path: '/mesos' },
        openSession: zookeeper.open,
        zooKeeperTiming: { ...ZOOKEEPER_TIMING, backoff: BACKOFF },
      }),
    announce: async (content) => {
      const own = ++sequence
      zookeeper.set(own, content)
      return async () => zookeeper.remove(own)
    },
    lose: () => zookeeper.stop('a'),
    restore: () => zookeeper.down.delete('a'),
  }
}

/** In a server that is frozen to be lost; each test has a path of its own. */
export function electionInZooKeeper({ servers }: ZooKeeperEnsemble, path: string): Election {
  const [server] = servers
  if (server === undefined) throw new Error('there is no server')
  const place = { host: '127.0.0.1', port: server.port as never }
  const timeouts = { sessionTimeoutMs: 900, connectTimeoutMs: 500 }
  return {
    open: () =>
      follow({
        masters: { kind: 'zookeeper', servers: [place], path },
        zooKeeperTiming: { ...ZOOKEEPER_TIMING, ...timeouts, backoff: BACKOFF },
      }),
    announce: async (content) => {
      const master = await AnnouncedMaster.announce(server.host, { path, content })
      return () => master.withdraw()
    },
    lose: () => server.freeze(),
    restore: () => server.thaw(),
  }
}

import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { ACL, type Client, CreateMode, createClient, Id, Permission } from 'node-zookeeper-client'

/** What a test's master puts into ZooKeeper. */
export interface Announcement {
  readonly path?: string
  readonly prefix?: string
  readonly content: string
  /** `user:password`: only this user may read the node and its siblings. */
  readonly digest?: string
}

/** A session of a test's master; long, so that it outlives servers that are started again. */
export class AnnouncedMaster {
  readonly #client: Client

  private constructor(client: Client) {
    this.#client = client
  }

  /** Announces itself as a master of Mesos does: an ephemeral node with the next number. */
  static async announce(hosts: string, announcement: Announcement): Promise<AnnouncedMaster> {
    const { path = '/mesos', prefix = 'json.info_', content, digest } = announcement
    const client = createClient(hosts, { sessionTimeout: 60_000, spinDelay: 50 })
    const connected = new Promise<void>((resolve) => client.once('connected', resolve))
    client.connect()
    await connected
    if (digest !== undefined) client.addAuthInfo('digest', Buffer.from(digest))
    const acls = [
      digest === undefined ? new ACL(Permission.ALL, new Id('world', 'anyone')) : only(digest),
    ]
    await promisify((done: (error: unknown) => void) => client.mkdirp(path, acls, done))()
    const { EPHEMERAL_SEQUENTIAL } = CreateMode
    await promisify((done: (error: unknown) => void) =>
      client.create(`${path}/${prefix}`, Buffer.from(content), acls, EPHEMERAL_SEQUENTIAL, done),
    )()
    return new AnnouncedMaster(client)
  }

  /** Ends the session; the node goes with it. */
  async withdraw(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#client.once('disconnected', resolve))
    this.#client.close()
    await closed
  }
}

/** MasterInfo as Mesos writes it. */
export function masterInfo(ip: string): string {
  return JSON.stringify({ address: { hostname: 'm', ip, port: 5050 }, hostname: 'm', port: 5050 })
}

function only(digest: string): ACL {
  const [user = ''] = digest.split(':')
  const hash = createHash('sha1').update(digest).digest('base64')
  return new ACL(Permission.ALL, new Id('digest', `${user}:${hash}`))
}

/** The members that a node knew, to find the cluster again when all seeds are gone. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '../../base/error.ts'
import type { Log } from '../../base/log.ts'
import { replaceFile } from '../../base/replace-file.ts'
import type { Announcement } from '../engine/statements.ts'
import { decodeMessages, encodeMessages } from '../wire/codec.ts'

/** Where a {@link MemberCache} is kept. */
export interface MemberCacheOptions {
  /** Undefined: nothing is kept. */
  readonly directory: string | undefined
  readonly clusterId: string | undefined
  readonly log: Log
}

/** So many are kept. */
const MAX_MEMBERS = 50

/** Keeps the announcements of members in a file. */
export class MemberCache {
  readonly #options: MemberCacheOptions
  #written = ''

  constructor(options: MemberCacheOptions) {
    this.#options = options
  }

  /** What was kept for this cluster; nothing when the file is broken. */
  async read(): Promise<readonly Announcement[]> {
    const path = this.#path()
    if (path === undefined) return []
    try {
      const text = await readFile(path, 'utf8')
      const { clusterId, members } = JSON.parse(text) as { clusterId: unknown; members: unknown }
      if (clusterId !== this.#options.clusterId || typeof members !== 'string') return []
      const { messages } = decodeMessages(Buffer.from(members, 'base64'))
      return messages.filter((message) => message.kind === 'announcement').slice(0, MAX_MEMBERS)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        this.#options.log.warn('ignores a broken file of members', {
          path,
          cause: messageOf(error),
        })
      return []
    }
  }

  /** Keeps these, if they are others than before; a node that sees nobody keeps whom it knew. */
  async write(announcements: readonly Announcement[]): Promise<void> {
    const path = this.#path()
    if (path === undefined || announcements.length === 0) return
    const bytes = encodeMessages(announcements.slice(0, MAX_MEMBERS))
    const members = Buffer.from(bytes).toString('base64')
    if (members === this.#written) return
    const { clusterId } = this.#options
    try {
      await replaceFile(path, JSON.stringify({ format: 1, clusterId, members }))
      this.#written = members
    } catch (error) {
      this.#options.log.warn('cannot keep the members', { path, cause: messageOf(error) })
    }
  }

  #path(): string | undefined {
    const { directory, clusterId } = this.#options
    return directory === undefined || clusterId === undefined
      ? undefined
      : join(directory, 'members.json')
  }
}

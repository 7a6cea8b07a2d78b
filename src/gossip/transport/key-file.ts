/** The key file: read at start, followed while the daemon runs. */
import { open } from 'node:fs/promises'
import type { Clock } from '../../base/clock.ts'
import { NavstarError, toNavstarError } from '../../base/error.ts'
import type { Log } from '../../base/log.ts'
import type { Scope } from '../../base/scope.ts'
import { type ClusterKey, type KeyRing, type KeySet, parseKeyFile } from './key-ring.ts'

/** How often the file is looked at. */
const POLL_MS = 2000

/** A key file is small; anything larger is something else. */
const MAX_FILE_BYTES = 65_536

/** What a followed key file needs. */
export interface KeyFileOptions {
  readonly path: string
  readonly clock: Clock
  readonly log: Log
  /** Follows the file until this closes. */
  readonly scope: Scope
}

interface KeyFileContent {
  readonly text: string
  /** Whether others than its owner can read it. */
  readonly isExposed: boolean
}

/**
 * Reads the key file and follows it: what is written later holds within seconds. A broken file
 * leaves the ring as it was, with one warning.
 *
 * @throws NavstarError `GOSSIP_KEYS_INVALID` when it cannot be read or parsed at first
 */
export async function followKeyFile(options: KeyFileOptions): Promise<KeyRing> {
  const { path, scope, clock } = options
  const content = await readContent(path)
  const ring = new FollowedKeyRing(options, content)
  scope.run(async (signal) => {
    while (!signal.aborted) {
      await clock.sleep(POLL_MS, { signal })
      await ring.refresh()
    }
  })
  return ring
}

/** Reads a key file once. @throws NavstarError `GOSSIP_KEYS_INVALID` */
export async function readKeyFile(path: string): Promise<KeySet> {
  return parseKeyFile((await readContent(path)).text, path)
}

class FollowedKeyRing implements KeyRing {
  readonly #options: KeyFileOptions
  #keys: KeySet
  #text: string
  #isExposed = false
  /** What is wrong with the file now; said once. */
  #complaint: string | undefined

  constructor(options: KeyFileOptions, content: KeyFileContent) {
    this.#options = options
    this.#keys = parseKeyFile(content.text, options.path)
    this.#text = content.text
    this.#warnIfExposed(content)
  }

  get sending(): ClusterKey {
    return this.#keys.sending
  }

  find(number: number): ClusterKey | undefined {
    return this.#keys.find(number)
  }

  async refresh(): Promise<void> {
    const { path, log } = this.#options
    try {
      const content = await readContent(path)
      this.#warnIfExposed(content)
      if (content.text !== this.#text) {
        this.#keys = parseKeyFile(content.text, path)
        this.#text = content.text
        const { keys, sending } = this.#keys
        log.info('took over the key file', { use: sending.id, keys: keys.map(({ id }) => id) })
      }
      this.#complaint = undefined
    } catch (thrown) {
      const error = toNavstarError(thrown, `read key file ${path}`)
      if (error.message === this.#complaint) return
      this.#complaint = error.message
      log.warn('the key file is broken; the earlier keys stay', { error })
    }
  }

  #warnIfExposed({ isExposed }: KeyFileContent): void {
    const { path, log } = this.#options
    if (isExposed && !this.#isExposed)
      log.warn('the key file can be read by others; its mode should be 0600', { path })
    this.#isExposed = isExposed
  }
}

async function readContent(path: string): Promise<KeyFileContent> {
  try {
    await using file = await open(path, 'r')
    const { mode, size } = await file.stat()
    if (size > MAX_FILE_BYTES) throw new Error(`it has ${size} bytes`)
    return { text: await file.readFile('utf8'), isExposed: (mode & 0o077) !== 0 }
  } catch (cause) {
    throw new NavstarError('GOSSIP_KEYS_INVALID', { attempt: `read key file ${path}`, cause })
  }
}

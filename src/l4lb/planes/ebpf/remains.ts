/**
 * The `ebpf` plane when another one serves: programs that choose a backend are detached, those that
 * show a VIP to its open sockets and count them stay for a while, as do the maps.
 *
 * Only pins are looked at, of every version of the layout: what is pinned is all that outlives a
 * daemon. A link is detached when its pin goes, since nobody else holds it.
 */
import { readdir, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { NavstarError } from '../../../base/error.ts'
import type { Remains } from '../remains.ts'

/** The programs that translate: without them a VIP is an address like any other. */
const CHOOSING_LINKS: readonly string[] = ['connect4', 'connect6', 'sendmsg4', 'sendmsg6'].map(
  (program) => `link-${program}`,
)

/** The directory of a version's pins, e.g. `v2`. */
const VERSION = /^v\d+$/

/** What is pinned below a directory. */
export class EbpfRemains implements Remains {
  readonly kind = 'ebpf'
  readonly #pinDirectory: string
  readonly #beforeDetaching: () => Promise<unknown>

  /** @param beforeDetaching runs while it takes connections still */
  constructor(pinDirectory: string, beforeDetaching: () => Promise<unknown>) {
    this.#pinDirectory = pinDirectory
    this.#beforeDetaching = beforeDetaching
  }

  async retire(): Promise<boolean> {
    const versions = await this.#versions()
    const pins = await Promise.all(
      versions.map(async (version) => {
        const found = await list(join(this.#pinDirectory, version))
        return found.map((pin) => join(version, pin))
      }),
    )
    const links = pins.flat().filter((pin) => CHOOSING_LINKS.includes(basename(pin)))
    if (links.length > 0) await this.#beforeDetaching()
    for (const link of links) await this.#remove(link)
    return versions.length > 0
  }

  /**
   * Sockets that were connected through it need nothing of it: they are connected to their backend.
   * They see its address from now on, not the VIP.
   */
  async sweep(): Promise<boolean> {
    for (const version of await this.#versions()) await this.#remove(version)
    return true
  }

  close(): void {}

  async #versions(): Promise<readonly string[]> {
    return (await list(this.#pinDirectory)).filter((name) => VERSION.test(name))
  }

  async #remove(name: string): Promise<void> {
    const path = join(this.#pinDirectory, name)
    try {
      await rm(path, { recursive: true, force: true })
    } catch (cause) {
      throw new NavstarError('KERNEL_OPERATION_FAILED', { attempt: `unpin ${path}`, cause })
    }
  }
}

async function list(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw new NavstarError('KERNEL_READ_FAILED', { attempt: `list ${directory}`, cause })
  }
}

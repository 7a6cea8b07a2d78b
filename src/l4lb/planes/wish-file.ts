/** The plane that this node was switched to, on disk, so that the next daemon goes on with it. */
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '../../base/replace-file.ts'
import type { PlaneKind } from '../plane.ts'
import { PLANE_ORDER } from './probe.ts'

/** A file `plane.json`: `{"plane": "nftables"}`. */
export class WishFile {
  readonly #directory: string
  readonly #path: string

  /** @param directory made when the first wish is written */
  constructor(directory: string) {
    this.#directory = directory
    this.#path = join(directory, 'plane.json')
  }

  /** Reads the wish; undefined without one, and for a file that is none of ours. */
  async read(): Promise<PlaneKind | undefined> {
    try {
      const content = JSON.parse(await readFile(this.#path, 'utf8')) as { plane?: unknown } | null
      return PLANE_ORDER.find((kind) => kind === content?.plane)
    } catch {
      return undefined // a wish that is lost costs a word of the operator, no service
    }
  }

  /** Replaces the wish, or forgets it. @throws Error of the system */
  async write(wish: PlaneKind | undefined): Promise<void> {
    if (wish === undefined) return rm(this.#path, { force: true })
    await mkdir(this.#directory, { recursive: true, mode: 0o700 })
    await replaceFile(this.#path, JSON.stringify({ plane: wish }))
  }
}

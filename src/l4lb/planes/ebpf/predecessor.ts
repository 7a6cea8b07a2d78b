/**
 * What a daemon of another version left: maps of another layout, and the links that run its programs.
 *
 * An upgrade breaks no connection. The services are copied to the maps of this version; the maps that
 * tell open sockets what they meant are taken over as they are; each link is taken over, pin and all,
 * and the kernel exchanges its program in one step. Then the old pins go. Dying at any point leaves a
 * data path that works and is upgraded by the next start.
 */
import { existsSync } from 'node:fs'
import { link, mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type BpfMap, openPinnedMap } from '../../../kernel/bpf.ts'
import { type Service, serviceKeyOf } from '../../../model/vip.ts'
import { decodeVipKey, SIZES } from './layout.ts'
import { readMembers } from './observe.ts'

/** An older version's pins. */
export interface Predecessor {
  /** Its directory, e.g. `v1`. */
  readonly version: string
  /** False once they are removed. */
  readonly isLeft: boolean
  /** What its programs serve. Options are not carried over. */
  services(): Promise<readonly Service[]>
  /** Removes what is left. */
  remove(): Promise<void>
}

/**
 * Versions whose keys of `vips` and `members` are those of today, newest first, with the maps that did
 * not change at all.
 */
const VERSIONS = [{ version: 'v1', unchanged: ['flows', 'origins'] }] as const

/**
 * Finds the newest one, and pins its unchanged maps for this version too, before that makes its own.
 *
 * @param directory of this version's pins
 */
export async function findPredecessor(
  pinDirectory: string,
  directory: string,
): Promise<Predecessor | undefined> {
  const found = VERSIONS.find(({ version }) => existsSync(join(pinDirectory, version)))
  if (found === undefined) return undefined
  const old = join(pinDirectory, found.version)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  for (const map of found.unchanged) {
    const isNew = existsSync(join(old, map)) && !existsSync(join(directory, map))
    if (isNew) await link(join(old, map), join(directory, map))
  }
  return {
    version: found.version,
    get isLeft(): boolean {
      return existsSync(old)
    },
    services: () => readServices(old),
    remove: () => rm(old, { recursive: true, force: true }),
  }
}

/** Takes over the pin of a link, where this version has none. */
export async function takeLink(
  { version }: Predecessor,
  pin: { readonly pinDirectory: string; readonly own: string; readonly name: string },
): Promise<void> {
  const old = join(pin.pinDirectory, version, pin.name)
  if (existsSync(old) && !existsSync(pin.own)) await rename(old, pin.own)
}

async function readServices(directory: string): Promise<readonly Service[]> {
  const pins = ['vips', 'members'].map((name) => join(directory, name))
  if (!pins.every((pin) => existsSync(pin))) return []
  const keys = await withMap(join(directory, 'vips'), async (map) => (await map.dump()).keys)
  const members = await withMap(join(directory, 'members'), async (map) =>
    readMembers(await map.dump()),
  )
  const services: Service[] = []
  for (let offset = 0; offset < keys.length; offset += SIZES.vipKey) {
    const vip = decodeVipKey(keys, offset)
    if (vip === undefined) continue
    services.push({ ...vip, backends: members.get(serviceKeyOf(vip))?.backends ?? [] })
  }
  return services
}

async function withMap<T>(path: string, use: (map: BpfMap) => Promise<T>): Promise<T> {
  const map = await openPinnedMap(path)
  try {
    return await use(map)
  } finally {
    map.close()
  }
}

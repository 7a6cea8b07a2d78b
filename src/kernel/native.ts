/** Loads the native addon: the only file that knows that there is one. */
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { NavstarError } from '../base/error.ts'

/** The addon's classes and functions, as `native/addon/native.d.ts` declares them. */
export type NativeAddon = typeof import('../../native/addon/native.d.ts')

let loaded: NativeAddon | undefined

/** The addon, loaded at the first call. @throws NavstarError `NATIVE_MISSING` */
export function nativeAddon(): NativeAddon {
  if (loaded !== undefined) return loaded
  const path = fileURLToPath(new URL('../../native/addon/navstar.node', import.meta.url))
  try {
    loaded = createRequire(import.meta.url)(path) as NativeAddon
    return loaded
  } catch (cause) {
    throw new NavstarError('NATIVE_MISSING', { attempt: `load ${path}`, cause })
  }
}

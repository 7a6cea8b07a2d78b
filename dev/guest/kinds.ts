/** The kinds of guests and what the host must have for each. */
import { existsSync, readFileSync } from 'node:fs'

/** User Mode Linux, or Debian's kernel in QEMU. */
export type GuestKind = 'uml' | 'qemu'

/** All kinds. */
export const GUEST_KINDS: readonly GuestKind[] = ['uml', 'qemu']

interface Requirement {
  readonly path: string
  readonly debianPackage: string
}

/** First programs of a guest. */
export const BUSYBOX = '/bin/busybox'

const EVERY_KIND: readonly Requirement[] = [
  { path: BUSYBOX, debianPackage: 'busybox-static' },
  { path: '/sbin/modprobe', debianPackage: 'kmod' },
  { path: '/usr/bin/setpriv', debianPackage: 'util-linux' },
  { path: '/usr/bin/unshare', debianPackage: 'util-linux' },
]

const REQUIREMENTS: Readonly<Record<GuestKind, readonly Requirement[]>> = {
  uml: [
    { path: '/usr/bin/linux.uml', debianPackage: 'user-mode-linux' },
    { path: '/usr/bin/taskset', debianPackage: 'util-linux' },
    ...EVERY_KIND,
  ],
  qemu: [
    { path: '/usr/bin/qemu-system-x86_64', debianPackage: 'qemu-system-x86' },
    { path: '/usr/lib/qemu/virtiofsd', debianPackage: 'qemu-system-common' },
    { path: '/usr/bin/lz4', debianPackage: 'lz4' },
    { path: '/usr/bin/apt-get', debianPackage: 'apt' },
    ...EVERY_KIND,
  ],
}

/** What this host lacks for guests of a kind, e.g. `['root', 'user-mode-linux (/usr/bin/linux.uml)']`. */
export function missingFor(kind: GuestKind): string[] {
  const files = REQUIREMENTS[kind].filter(({ path }) => !existsSync(path) || !isUsable(path))
  return [
    ...(process.getuid?.() === 0 ? [] : ['root']),
    ...files.map(({ path, debianPackage }) => `${debianPackage} (${path})`),
  ]
}

/**
 * Debian's other busybox needs libraries, which a guest does not have when it begins; programs
 * name what loads these near their beginning.
 */
function isUsable(path: string): boolean {
  return path !== BUSYBOX || !readFileSync(path).subarray(0, 4096).includes('ld-linux')
}

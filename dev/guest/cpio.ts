/**
 * Writes an archive that the kernel unpacks as its first file system.
 *
 * **Source:** Linux, Documentation/driver-api/early-userspace/buffer-format.rst
 */

/** A file of the archive. */
export interface CpioFile {
  /** Without a leading slash, e.g. `bin/busybox`; folders above it are made. */
  readonly path: string
  readonly content: Uint8Array
  readonly isExecutable?: boolean
}

const DIRECTORY_MODE = 0o040755
const FILE_MODE = 0o100644
const EXECUTABLE_MODE = 0o100755

/** The archive's bytes. */
export function cpioArchive(files: readonly CpioFile[]): Buffer {
  const folders = new Set(files.flatMap(({ path }) => parentsOf(path)))
  const entries = [
    ...[...folders].map((path) => entry(path, DIRECTORY_MODE, new Uint8Array())),
    ...files.map(({ path, content, isExecutable }) =>
      entry(path, isExecutable ? EXECUTABLE_MODE : FILE_MODE, content),
    ),
  ]
  return Buffer.concat([...entries, entry('TRAILER!!!', 0, new Uint8Array())])
}

/** `a/b/c` → `a`, `a/b`. */
function parentsOf(path: string): string[] {
  const names = path.split('/')
  return names.slice(1).map((_, index) => names.slice(0, index + 1).join('/'))
}

/** Header, name and content, the latter two padded to four bytes. */
function entry(path: string, mode: number, content: Uint8Array): Buffer {
  const name = Buffer.from(`${path}\0`)
  const inode = 0
  const fields = [inode, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length, 0]
  const header = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`
  return padded(Buffer.concat([padded(Buffer.concat([Buffer.from(header), name])), content]))
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 3)])
}

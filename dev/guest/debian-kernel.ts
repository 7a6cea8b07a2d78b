/** Debian's kernel for virtual machines, kept unpacked in `.build/guest`. */
import { execFile } from 'node:child_process'
import { createWriteStream } from 'node:fs'
import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { makeOwned, sweepOwned } from './owned-directory.ts'

const run = promisify(execFile)

/** The package that depends on the newest kernel. Its kernel is compressed with LZ4 and has virtiofs. */
const META_PACKAGE = 'linux-image-cloud-amd64'

const CACHE = fileURLToPath(new URL('../../.build/guest/', import.meta.url))

/** A kernel on the disk. */
export interface DebianKernel {
  /** Uncompressed: QEMU starts it without the seconds that unpacking would take. */
  readonly image: string
  readonly modules: string
}

/** The kernel, downloaded at the first call. @throws Error that says what failed */
export async function debianKernel(): Promise<DebianKernel> {
  await mkdir(CACHE, { recursive: true })
  const kept = (await readdir(CACHE)).filter((name) => name.startsWith('linux-image-')).sort()
  const name = kept.at(-1) ?? (await downloadKernel())
  const trees = join(CACHE, name, 'lib/modules')
  const [release = ''] = await readdir(trees)
  return { image: join(CACHE, name, 'vmlinux'), modules: join(trees, release) }
}

/** Fills a folder aside and renames it last, so that a folder with a kernel's name is complete. */
async function downloadKernel(): Promise<string> {
  await sweepOwned(CACHE, 'download')
  const aside = await makeOwned(CACHE, 'download')
  try {
    const name = await fetchPackage(aside)
    await unpack(aside)
    await rename(aside, join(CACHE, name)).catch((error: NodeJS.ErrnoException) => {
      // Another process was faster.
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
    })
    return name
  } finally {
    await rm(aside, { recursive: true, force: true })
  }
}

async function fetchPackage(folder: string): Promise<string> {
  try {
    return await fetchNewest(folder)
  } catch {
    // No package lists yet, or they name a version that is gone.
    await run('apt-get', ['update', '-qq'])
    return await fetchNewest(folder)
  }
}

async function fetchNewest(folder: string): Promise<string> {
  const { stdout } = await run('apt-cache', ['depends', META_PACKAGE])
  const name = /Depends: (linux-image-\S+)/.exec(stdout)?.[1]
  if (name === undefined) throw new Error(`apt-cache does not know ${META_PACKAGE}`)
  await run('apt-get', ['download', '-qq', name], { cwd: folder })
  return name
}

async function unpack(folder: string): Promise<void> {
  const archive = (await readdir(folder)).find((name) => name.endsWith('.deb')) ?? ''
  await run('dpkg-deb', ['-x', archive, '.'], { cwd: folder })
  const [release = ''] = await readdir(join(folder, 'lib/modules'))
  await run('depmod', ['-b', folder, release])
  const bootImage = await readFile(join(folder, 'boot', `vmlinuz-${release}`))
  await uncompress(payloadOf(bootImage), join(folder, 'vmlinux'))
  await Promise.all(
    [archive, 'boot', 'usr'].map((name) => rm(join(folder, name), { recursive: true })),
  )
}

/**
 * The compressed kernel inside a bzImage.
 *
 * **Source:** Linux, Documentation/arch/x86/boot.rst: setup_sects, payload_offset, payload_length; the
 * payload's last four bytes are the uncompressed size.
 */
function payloadOf(bootImage: Buffer): Buffer {
  const protectedMode = (bootImage.readUInt8(0x1f1) + 1) * 512
  const begin = protectedMode + bootImage.readUInt32LE(0x248)
  return bootImage.subarray(begin, begin + bootImage.readUInt32LE(0x24c) - 4)
}

async function uncompress(payload: Buffer, path: string): Promise<void> {
  const lz4 = execFile('lz4', ['-d', '-c'], { encoding: 'buffer', maxBuffer: 256 * 2 ** 20 })
  const { stdin, stdout } = lz4
  if (stdin === null || stdout === null) throw new Error('lz4 has no pipes')
  stdin.end(payload)
  await pipeline(stdout, createWriteStream(path))
  const magic = (await readFile(path)).subarray(0, 4).toString('latin1')
  if (magic !== '\x7fELF') throw new Error(`${path} is no kernel after lz4 -d`)
}

/** The first file system of a guest: a busybox, modules, and what to run. */
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type CpioFile, cpioArchive } from './cpio.ts'
import { moduleFiles } from './guest-modules.ts'
import { BUSYBOX, type GuestKind } from './kinds.ts'

/** What a guest is told. */
export interface Assignment {
  readonly kind: GuestKind
  readonly command: readonly string[]
  /** Where the command starts, on the host and in the guest. */
  readonly directory: string
  /** Folder of the host that the guest sees as `/out`. */
  readonly outDirectory: string | undefined
  /** Ends both outputs, followed by the exit code. */
  readonly mark: string
}

/** What differs by kernel. */
export interface GuestKernel {
  /** Folder of the host with the kernel's modules. */
  readonly modules: string
  /** Modules that mount the host's tree and carry the outputs. */
  readonly firstModules: readonly string[]
  readonly outPort: string
  readonly errPort: string
}

/** The archive for a run. */
export async function initramfs(assignment: Assignment, kernel: GuestKernel): Promise<Buffer> {
  const modules = await moduleFiles(kernel.modules, kernel.firstModules)
  const files: CpioFile[] = [
    { path: 'bin/busybox', content: await readFile(BUSYBOX), isExecutable: true },
    { path: 'init', content: await readFile(scriptPath('init.sh')), isExecutable: true },
    { path: 'run.sh', content: await readFile(scriptPath('run.sh')) },
    { path: 'parameters', content: Buffer.from(parameters(assignment, kernel)) },
    { path: 'command', content: Buffer.from(commandScript(assignment)) },
  ]
  for (const [index, file] of modules.entries()) {
    const order = String(index).padStart(2, '0')
    files.push({ path: `modules/${order}-${basename(file)}`, content: await readFile(file) })
  }
  return cpioArchive(files)
}

function scriptPath(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url))
}

function parameters({ kind, outDirectory, mark }: Assignment, kernel: GuestKernel): string {
  return assignments({
    KIND: kind,
    MODULES: kernel.modules,
    OUT_PORT: kernel.outPort,
    ERR_PORT: kernel.errPort,
    OUT_DIRECTORY: outDirectory ?? '',
    MARK: mark,
  })
}

/** The project's Node comes first, before the system's. */
function commandScript({ kind, command, directory, outDirectory }: Assignment): string {
  const programs = fileURLToPath(new URL('../../node_modules/.bin', import.meta.url))
  const environment = assignments({
    PATH: `${programs}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
    HOME: '/root',
    LANG: 'C.UTF-8',
    TERM: 'dumb',
    GUEST_KERNEL: kind,
    ...(outDirectory === undefined ? {} : { GUEST_OUT: '/out' }),
  })
  const exported = environment.replaceAll(/^/gm, 'export ').replace(/export $/, '')
  return `${exported}cd ${quoted(directory)} || exit 126\nexec ${command.map(quoted).join(' ')}\n`
}

function assignments(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${quoted(value)}\n`)
    .join('')
}

/** As one word of a shell. */
function quoted(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`
}

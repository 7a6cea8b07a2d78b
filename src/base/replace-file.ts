import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { link, open, rename, rm } from 'node:fs/promises'

/** Replaces a file as a whole; whoever reads it sees the old content or the new. */
export async function replaceFile(path: string, content: string): Promise<void> {
  const draft = await writeDraft(path, content)
  try {
    await rename(draft, path)
  } catch (error) {
    await rm(draft, { force: true })
    throw error
  }
}

/** Makes a file, durably, unless there is one. @returns whether it was made */
export async function createFile(path: string, content: string): Promise<boolean> {
  const draft = await writeDraft(path, content)
  try {
    await link(draft, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(draft, { force: true })
  }
}

/** As {@link replaceFile}, before it returns; survives the process, not a loss of power. */
export function replaceFileNow(path: string, content: string): void {
  const draft = draftOf(path)
  try {
    writeFileSync(draft, content, { mode: 0o600 })
    renameSync(draft, path)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
}

async function writeDraft(path: string, content: string): Promise<string> {
  const draft = draftOf(path)
  await rm(draft, { force: true }) // its mode may be another
  const file = await open(draft, 'wx', 0o600)
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
  return draft
}

let drafts = 0

function draftOf(path: string): string {
  return `${path}.${process.pid}-${drafts++}.draft`
}

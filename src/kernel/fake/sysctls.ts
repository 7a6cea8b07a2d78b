/** Settings of a network namespace in memory, for tests. */
import { NavstarError } from '../../base/error.ts'
import type { Sysctls } from '../sysctls.ts'

/** Settings that are there, with their texts; others cannot be made. */
export class FakeSysctls implements Sysctls {
  readonly #texts: Map<string, string>

  constructor(texts: Readonly<Record<string, string>>) {
    this.#texts = new Map(Object.entries(texts))
  }

  async read(names: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const asked = new Set(names)
    return new Map([...this.#texts].filter(([name]) => asked.has(name)))
  }

  async write(name: string, value: string): Promise<void> {
    if (!this.#texts.has(name)) {
      const attempt = `set net/${name} to ${value}`
      throw new NavstarError('KERNEL_OPERATION_FAILED', { attempt, cause: 'ENOENT (2)' })
    }
    this.#texts.set(name, value)
  }
}

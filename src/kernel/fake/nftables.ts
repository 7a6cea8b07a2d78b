/**
 * The nf_tables of a network namespace in memory, for tests: atomic transactions with the
 * kernel's refusals. The contract suite runs against it and against the kernel.
 *
 * Not modelled: what packets meet, and checks of expressions beyond the names in them.
 */
import type { ElementRequest, Nftables, NftElements, NftOperation, NftTable } from '../nftables.ts'
import { type OperationResult, readFailure } from '../operation.ts'
import { ERRNOS, FakeNftTable, type Refusal, type Step } from './nftables-table.ts'

/** The tables of family inet. */
export class FakeNftables implements Nftables {
  #tables: ReadonlyMap<string, FakeNftTable> = new Map()
  readonly #limits: ReadonlyMap<string, number>
  #generation = 1

  /** @param limits the most elements of a set, by its name: more are refused with ENFILE */
  constructor(limits: Readonly<Record<string, number>> = {}) {
    this.#limits = new Map(Object.entries(limits))
  }

  /** The names of all tables. */
  get tableNames(): readonly string[] {
    return [...this.#tables.keys()]
  }

  async generation(): Promise<number> {
    return this.#generation
  }

  async table(name: string): Promise<NftTable | undefined> {
    return this.#tables.get(name)?.list()
  }

  async elements(request: ElementRequest): Promise<NftElements> {
    const { table, set, keyLength, valueLength } = request
    const attempt = `read elements of ${table} ${set}`
    const found = this.#tables.get(table)?.set(set)
    if (found === undefined) throw readFailure(attempt, 'ENOENT (2)')
    const { spec, elements } = found
    if (spec.keyLength !== keyLength || (spec.valueLength ?? 0) !== valueLength) {
      throw readFailure(attempt, 'it has other lengths')
    }
    const keys = bytesOf([...elements.keys()])
    if (!spec.isVerdictMap) return { keys, values: bytesOf([...elements.values()]) }
    const chains = elements.size > 0 ? { chains: [...elements.values()] } : {}
    return { keys, values: new Uint8Array(), ...chains }
  }

  async transaction(operations: readonly NftOperation[]): Promise<readonly OperationResult[]> {
    operations.forEach(assertWhole)
    const tables = new Map([...this.#tables].map(([name, table]) => [name, table.clone()]))
    const refusals = operations.map((operation) => this.#run(tables, operation))
    const applied = refusals.every((refusal) => refusal === undefined)
    if (applied) {
      this.#tables = tables
      this.#generation++
    }
    return refusals.map((name) =>
      name === undefined
        ? { errno: 0, name: 'OK', applied }
        : { errno: ERRNOS[name], name, applied },
    )
  }

  #run(tables: Map<string, FakeNftTable>, operation: NftOperation): Refusal | undefined {
    const { kind, table: name } = operation
    const table = tables.get(name)
    if (isStep(operation)) return table === undefined ? 'ENOENT' : table.run(operation)
    if (kind === 'deleteTable') return tables.delete(name) ? undefined : 'ENOENT'
    if (table === undefined) tables.set(name, new FakeNftTable(this.#limits))
    return undefined
  }
}

function isStep(operation: NftOperation): operation is Step {
  return operation.kind !== 'addTable' && operation.kind !== 'deleteTable'
}

/** Buffers that do not hold whole elements are refused before anything is sent. */
function assertWhole(operation: NftOperation): void {
  if (operation.kind !== 'addElements' && operation.kind !== 'deleteElements') return
  const { keys, values, chains, setSpec } = operation
  const count = keys.length / setSpec.keyLength
  const valueCount = values === undefined ? count : values.length / (setSpec.valueLength ?? 0)
  const isWhole = Number.isInteger(count) && valueCount === count
  if (isWhole && (chains === undefined || chains.length === count)) return
  throw Object.assign(new Error('no whole elements'), { code: 'INVALID_ARGUMENT' })
}

function bytesOf(texts: readonly string[]): Uint8Array {
  return new Uint8Array(Buffer.from(texts.join(''), 'hex'))
}

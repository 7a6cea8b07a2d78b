/**
 * The `nftables` plane when another one serves: a table that translates nothing new.
 *
 * Its base chains of type nat stay, each with a rule that asks conntrack and changes nothing. The
 * kernel translates packets of open connections by what conntrack knows of them, in hooks that are
 * there only as long as a chain of type nat is; and it tracks only as long as some rule asks for it.
 * Sets are emptied: a plane that serves again would take old VIPs for services without backends, and
 * end their flows. Routes to the blocks of VIPs stay: packets of sockets that are connected to a VIP go
 * by them.
 */
import { NavstarError } from '../../../base/error.ts'
import type { Conntrack, ConntrackFlow } from '../../../kernel/conntrack.ts'
import type { Nftables, NftOperation, NftTable } from '../../../kernel/nftables.ts'
import type { OperationResult } from '../../../kernel/operation.ts'
import type { RouteOperation, RouteTables } from '../../../kernel/routes.ts'
import { parseServiceKey, type ServiceKey } from '../../../model/vip.ts'
import type { Remains } from '../remains.ts'
import { acceptKnownRule } from './rules.ts'
import { TABLE } from './ruleset.ts'
import { planRoutes } from './vip-routes.ts'

/** Where the remains are. */
export interface NftablesRemainsKernel {
  readonly nftables: Nftables
  readonly routes: RouteTables
  readonly conntrack: Conntrack
  close(): void
}

/** The table and routes of a network namespace. */
export class NftablesRemains implements Remains {
  readonly kind = 'nftables'
  readonly #kernel: NftablesRemainsKernel
  readonly #vips: () => Iterable<ServiceKey>

  /** @param vips that it may have translated: while a connection to one is open, all of it stays */
  constructor(kernel: NftablesRemainsKernel, vips: () => Iterable<ServiceKey>) {
    this.#kernel = kernel
    this.#vips = vips
  }

  async retire(): Promise<boolean> {
    const { nftables } = this.#kernel
    const table = await nftables.table(TABLE)
    if (table === undefined) return (await this.#routes()).length > 0
    const operations = retirement(table)
    if (operations.length > 0) check('retire the table', await nftables.transaction(operations))
    return true
  }

  async sweep(): Promise<boolean> {
    const { nftables, routes } = this.#kernel
    const table = await nftables.table(TABLE)
    if (table !== undefined) {
      if (await this.#isInUse()) return false
      const removal: NftOperation = { kind: 'deleteTable', table: TABLE }
      check('remove the table', await nftables.transaction([removal]))
    }
    const stale = await this.#routes()
    if (stale.length > 0) check('remove routes to VIPs', await routes.applyRoutes(stale))
    return true
  }

  close(): void {
    this.#kernel.close()
  }

  /** Whether a tracked connection was opened to one of its VIPs. */
  async #isInUse(): Promise<boolean> {
    const flows = [...this.#vips()].map((key): ConntrackFlow => {
      const { protocol, address, port } = parseServiceKey(key)
      return { protocol, originalDestination: { address, port } }
    })
    return (await this.#kernel.conntrack.entries(flows)).length > 0
  }

  async #routes(): Promise<readonly RouteOperation[]> {
    return planRoutes([], await this.#kernel.routes.routes()).operations
  }
}

/** What is left to do, in one transaction, so that the table translates and rejects nothing new. */
export function retirement({ chains, rules, sets }: NftTable): readonly NftOperation[] {
  const superfluous = chains.filter(({ hook }) => hook?.type !== 'nat')
  const tracking = chains.filter(({ hook }) => hook?.type === 'nat')
  const isRetired =
    superfluous.length === 0 &&
    rules.length === tracking.length &&
    rules.every(({ expressions }) => expressions.every(({ expr }) => TRACKING.has(expr)))
  if (isRetired) return []
  const expressions = acceptKnownRule()
  return [
    ...chains.map(({ name: chain }) => ({ kind: 'flushChain', table: TABLE, chain }) as const),
    ...tracking.map(
      ({ name: chain }) => ({ kind: 'addRule', table: TABLE, chain, expressions }) as const,
    ),
    ...superfluous.map(
      ({ name: chain }) => ({ kind: 'deleteChain', table: TABLE, chain }) as const,
    ),
    ...sets.map(({ name: set }) => ({ kind: 'flushSet', table: TABLE, set }) as const),
  ]
}

/** What {@link acceptKnownRule} is made of, and no rule that translates or rejects. */
const TRACKING: ReadonlySet<string> = new Set(acceptKnownRule().map(({ expr }) => expr))

function check(attempt: string, results: readonly OperationResult[]): void {
  const refusal = results.find(({ errno }) => errno !== 0)
  if (refusal === undefined) return
  const { name, errno, message } = refusal
  const cause = `${name} (${errno})${message === undefined ? '' : `: ${message}`}`
  throw new NavstarError('KERNEL_OPERATION_FAILED', { attempt, cause })
}

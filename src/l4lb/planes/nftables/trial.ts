/** Whether nf_tables can do what the plane needs: a table of its own is made and removed. */
import { openNamespace } from '../../../kernel/namespace.ts'
import type { NftOperation } from '../../../kernel/nftables.ts'
import type { SlotDraw } from './draw.ts'
import { dispatchRule } from './rules.ts'
import { type Chain, fixedChains, SERVICES_CHAIN, setDefinitions, slotChain } from './ruleset.ts'

/**
 * Tries the rule set in one transaction that ends with the removal of its table, so that nothing
 * is ever active.
 *
 * @returns what the plane will do @throws Error with the kernel's refusal
 */
export async function tryNftables(): Promise<string> {
  const namespace = await openNamespace()
  try {
    const results = await namespace.nftables.transaction(trialOperations('navstar-trial'))
    const refusal = results.find(({ errno }) => errno !== 0)
    if (refusal !== undefined) {
      throw new Error(`nf_tables refuses the rule set: ${refusal.name} ${refusal.message ?? ''}`)
    }
    return 'nf_tables translates destinations per connection, in this network namespace'
  } finally {
    namespace.close()
  }
}

/** One of each way. */
const DRAWS = [
  { slots: 2, by: 'random' },
  { slots: 2, by: 'turns0' },
  { slots: 64, by: 'client' },
] as const satisfies readonly SlotDraw[]

function trialOperations(table: string): NftOperation[] {
  const slotChains = ([4, 6] as const).flatMap((family) =>
    DRAWS.map((draw) => slotChain(family, draw)),
  )
  const rules = [dispatchRule(4, DRAWS[0]), dispatchRule(6, DRAWS[0])]
  const services = { name: SERVICES_CHAIN, rules }
  const chains: Chain[] = [services, ...fixedChains([]), ...slotChains]
  return [
    { kind: 'addTable', table },
    ...setDefinitions().map(
      ({ name, spec }): NftOperation => ({ kind: 'addSet', table, set: name, setSpec: spec }),
    ),
    ...chains.map(
      ({ name, hook }): NftOperation => ({
        kind: 'addChain',
        table,
        chain: name,
        ...(hook && { hook }),
      }),
    ),
    ...chains.flatMap(({ name, rules }) =>
      rules.map(
        (expressions): NftOperation => ({ kind: 'addRule', table, chain: name, expressions }),
      ),
    ),
    { kind: 'deleteTable', table },
  ]
}

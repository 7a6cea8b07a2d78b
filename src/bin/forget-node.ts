import { fetchAdmin } from '../admin/client.ts'
import type { ForgottenView } from '../daemon/node-resources.ts'

/** `navstar nodes forget ID`: asks the daemon to evict a node; prints what came of it. */
export async function forgetNode(
  address: string,
  node: string,
  { isJson }: { readonly isJson: boolean },
): Promise<void> {
  const path = '/v1/navstar/nodes/forget'
  const view = (await fetchAdmin(address, path, {
    method: 'POST',
    body: { node },
  })) as ForgottenView
  console.log(isJson ? JSON.stringify(view, null, 2) : forgottenText(view))
}

/** What came of it, as text. */
export function forgottenText({ id, address, state }: ForgottenView): string {
  const name = `node ${id.slice(0, 8)} at ${address}`
  if (state === 'forgotten') return `${name} is forgotten, here and soon everywhere`
  return `${name} is doubted: it is forgotten once it is dead, unless it speaks up before`
}

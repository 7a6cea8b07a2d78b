/** Finds kernel modules and those that they need. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Paths of modules in the order in which they can be loaded.
 *
 * @param tree e.g. `/usr/lib/uml/modules/6.1.176`, as depmod left it
 * @param names e.g. `['overlay']`; built-in ones must not be named
 * @throws Error when the tree has no such module
 */
export async function moduleFiles(tree: string, names: readonly string[]): Promise<string[]> {
  const lines = (await readFile(join(tree, 'modules.dep'), 'utf8')).trimEnd().split('\n')
  const needs = new Map(
    lines.map((line) => {
      const [file = '', rest = ''] = line.split(':')
      return [file, rest.split(' ').filter((each) => each !== '')]
    }),
  )
  const ordered = names.flatMap((name) => {
    const file = [...needs.keys()].find((each) => each.endsWith(`/${name}.ko`))
    if (file === undefined) throw new Error(`${tree} has no module ${name}`)
    // modules.dep names the nearest need first.
    return [...(needs.get(file) ?? []).toReversed(), file]
  })
  return [...new Set(ordered)].map((file) => join(tree, file))
}

import { posix } from 'node:path'

/** The layer of each folder of `src/`; a folder that is not here may not exist. */
export const LAYERS: Readonly<Record<string, number>> = {
  model: 0,
  base: 1,
  kernel: 2,
  gossip: 3,
  mesos: 3,
  l4lb: 3,
  overlay: 3,
  dns: 3,
  cni: 3,
  config: 4,
  admin: 4,
  daemon: 5,
  demo: 5,
  bin: 6,
}

const CAPABILITY_LAYER = 3

/** The one import within a layer: the demo runs daemons. */
const SAME_LAYER_IMPORTS: ReadonlySet<string> = new Set(['demo → daemon'])

const FORBIDDEN_NAME = /(^|-)(utils?|helpers?|common|managers?|misc)(-|\.|$)/

/** Sources by path below `src/`, e.g. `dns/dns.ts`. */
export type Sources = ReadonlyMap<string, string>

/** Checks all rules of the layout. @returns a sentence per violation */
export function layoutViolations(sources: Sources): readonly string[] {
  return [...sources].flatMap(([path, text]) => [
    ...pathViolations(path),
    ...importsOf(text).flatMap((specifier) => importViolations(path, specifier)),
  ])
}

/** The module specifiers that a source imports or re-exports, types included. */
export function importsOf(text: string): readonly string[] {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/^\s*\/\/.*$/gm, '')
  const statements = /^\s*(?:import|export)\b(?:[^'"`;]*?\bfrom)?\s*['"]([^'"]+)['"]/gm
  const calls = /\bimport\(\s*['"`]([^'"`]+)['"`]/g
  return [...code.matchAll(statements), ...code.matchAll(calls)].map((match) => match[1] ?? '')
}

function pathViolations(path: string): readonly string[] {
  const [folder = '', ...rest] = path.split('/')
  if (rest.length === 0) return [`${path}: a file must be in a folder of src`]
  const badNames = path.split('/').filter((name) => FORBIDDEN_NAME.test(name))
  return [
    ...(Object.hasOwn(LAYERS, folder) ? [] : [`${path}: folder ${folder} has no layer`]),
    ...badNames.map((name) => `${path}: the name ${name} says nothing`),
  ]
}

function importViolations(path: string, specifier: string): readonly string[] {
  const from = folderOf(path)
  if (!specifier.startsWith('.')) {
    const isNode = specifier.startsWith('node:')
    return from === 'model' && isNode ? [`${path}: model imports ${specifier}`] : []
  }
  const target = posix.normalize(posix.join(posix.dirname(path), specifier))
  if (target.startsWith('../')) return outsideViolations(path, target)
  const to = folderOf(target)
  if (from === to) return []
  return [...directionViolations(path, target), ...innerFileViolations(path, target)]
}

/** Only the façade of the addon may reach for the native code; nothing may reach for tests. */
function outsideViolations(path: string, target: string): readonly string[] {
  const isAllowed =
    (target.startsWith('../native/') && folderOf(path) === 'kernel') || target === '../package.json'
  return isAllowed ? [] : [`${path}: imports ${target} from outside of src`]
}

function directionViolations(path: string, target: string): readonly string[] {
  const [from, to] = [folderOf(path), folderOf(target)]
  const [fromLayer, toLayer] = [LAYERS[from], LAYERS[to]]
  if (fromLayer === undefined || toLayer === undefined || toLayer < fromLayer) return []
  if (toLayer > fromLayer) return [`${path}: ${from} imports upward from ${to}`]
  if (SAME_LAYER_IMPORTS.has(`${from} → ${to}`)) return []
  return [`${path}: ${from} imports sideways from ${to}`]
}

function innerFileViolations(path: string, target: string): readonly string[] {
  const to = folderOf(target)
  if (LAYERS[to] !== CAPABILITY_LAYER) return []
  const entries = [`${to}/${to}.ts`, `${to}/config.ts`, `${to}/metrics.ts`]
  return entries.includes(target) ? [] : [`${path}: imports the inner file ${target}`]
}

function folderOf(path: string): string {
  return path.split('/')[0] ?? ''
}

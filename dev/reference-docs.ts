import { globSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Metric, Registry } from 'prom-client'
import { ERROR_CODES } from '../src/base/error-codes.ts'

const ROOT: string = join(import.meta.dirname, '..')

/** A metric as the documentation shows it. */
export interface MetricRow {
  readonly capability: string
  readonly name: string
  readonly type: string
  readonly labels: readonly string[]
  readonly help: string
}

/** Writes `docs/errors.md` from the registry of codes. */
export function renderErrors(): string {
  const rows = Object.entries(ERROR_CODES).map(([code, { summary, effect, hint }]) => [
    `\`${code}\``,
    summary,
    effect,
    hint,
  ])
  return `# Errors

Every error that navstar reports has one of these codes: in logs (\`error.code\`), in answers of the
admin server and on the command line. Codes never change their meaning and are never used again.
**Effect** says what happened to the state of the object: \`none\`, \`partial\` or \`unknown\`.

Written by \`node dev/write-docs.ts\` from \`src/base/error-codes.ts\`.

${table(['Code', 'What', 'Effect', 'What to do'], rows)}
`
}

/**
 * Every metric of every `src/<capability>/metrics.ts`, found by making them: each such file exports
 * a function `<capability>Metrics(registry)`, and perhaps others that end in `Metrics`.
 */
export async function collectMetrics(): Promise<readonly MetricRow[]> {
  const files = globSync('src/*/metrics.ts', { cwd: ROOT }).sort()
  const lists = await Promise.all(files.map((file) => metricsOf(file)))
  return lists.flat()
}

/** Writes `docs/metrics.md`. */
export function renderMetrics(metrics: readonly MetricRow[]): string {
  const capabilities = [...new Set(metrics.map(({ capability }) => capability))]
  const sections = capabilities.map((capability) => {
    const rows = metrics
      .filter((metric) => metric.capability === capability)
      .map(({ name, type, labels, help }) => [
        `\`${name}\``,
        type,
        labels.map((label) => `\`${label}\``).join(', '),
        help,
      ])
    return `## ${capability}\n\n${table(['Name', 'Type', 'Labels', 'What'], rows)}`
  })
  return `# Metrics

\`/metrics\` of the admin server (default \`http://127.0.0.1:62080/metrics\`) serves these to Prometheus.

Written by \`node dev/write-docs.ts\` from \`src/*/metrics.ts\`.

${sections.join('\n\n')}
`
}

async function metricsOf(file: string): Promise<readonly MetricRow[]> {
  const capability = basename(dirname(file))
  const exported = (await import(pathToFileURL(join(ROOT, file)).href)) as Record<string, unknown>
  if (typeof exported[`${capability}Metrics`] !== 'function')
    throw new Error(`${file} exports no function ${capability}Metrics(registry)`)
  const registry = new Registry()
  for (const [name, define] of Object.entries(exported)) {
    if (name.endsWith('Metrics') && typeof define === 'function') define(registry)
  }
  const types = new Map((await registry.getMetricsAsJSON()).map(({ name, type }) => [name, type]))
  return registry
    .getMetricsAsArray()
    .map((metric) => metric as unknown as Metric & Definition)
    .map(({ name, help, labelNames }) => ({
      capability,
      name,
      type: String(types.get(name)),
      labels: labelNames,
      help,
    }))
    .sort((left, right) => left.name.localeCompare(right.name))
}

/** What prom-client keeps of a metric's definition, beyond its public type. */
interface Definition {
  readonly name: string
  readonly help: string
  readonly labelNames: readonly string[]
}

function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n')
}

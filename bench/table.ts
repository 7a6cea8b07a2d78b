/** The printed table. */

/** One row. */
export interface Row {
  /** What was measured, e.g. `connect-request-response, 1 client, per s`. */
  readonly measure: string
  /** Of whom, e.g. `ebpf`. */
  readonly subject: string
  readonly value: string
  /** What it is compared with, measured in the same run. */
  readonly baseline?: string
  readonly ratio?: string
  /** What the project wants, e.g. `≥ 0.97`. */
  readonly target?: string
}

const HEADINGS = ['measure', 'subject', 'value', 'baseline', 'ratio', 'target'] as const

/** The rows as a Markdown table with aligned columns. */
export function tableText(rows: readonly Row[]): string {
  const cells = rows.map((row) => HEADINGS.map((heading) => row[heading] ?? ''))
  const widths = HEADINGS.map((heading, column) =>
    Math.max(heading.length, ...cells.map((line) => line[column]?.length ?? 0)),
  )
  const line = (texts: readonly string[]): string =>
    `| ${texts.map((text, column) => text.padEnd(widths[column] ?? 0)).join(' | ')} |`
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`
  return [line(HEADINGS), rule, ...cells.map(line)].join('\n')
}

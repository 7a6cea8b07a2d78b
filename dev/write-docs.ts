/** Writes the reference pages that are made from registries in the code. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { collectMetrics, renderErrors, renderMetrics } from './reference-docs.ts'

const docs: string = join(import.meta.dirname, '..', 'docs')
writeFileSync(join(docs, 'errors.md'), renderErrors())
writeFileSync(join(docs, 'metrics.md'), renderMetrics(await collectMetrics()))

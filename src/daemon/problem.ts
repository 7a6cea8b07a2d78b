import type { NavstarError } from '../base/error.ts'

/** An error as the CLI shows it. */
export interface ProblemView {
  readonly code: string
  readonly message: string
  readonly hint: string
}

/** What is shown of an error. */
export function problemView({ code, message, hint }: NavstarError): ProblemView {
  return { code, message, hint }
}

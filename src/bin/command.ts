/** A flag of a command. */
export interface Flag {
  readonly name: string
  /** What its value looks like; absent for a switch. */
  readonly placeholder?: string
  readonly help: string
  readonly defaultText?: string
}

/** The flags that were given. */
export interface GivenFlags {
  readonly values: Readonly<Record<string, string | undefined>>
  readonly switches: ReadonlySet<string>
  /** What stands beside the flags, in order. */
  readonly operands: readonly string[]
}

/** A subcommand. */
export interface Command {
  readonly name: string
  /** One line for the overview. */
  readonly summary: string
  /** Paragraphs for its own help. */
  readonly description: string
  readonly flags: readonly Flag[]
  /** What may stand beside the flags, e.g. `[forget ID]`; absent: nothing. */
  readonly operands?: string
  /** @returns the exit code */
  run(given: GivenFlags): Promise<number>
}

/** Prints machine-readable output. */
export const JSON_FLAG: Flag = { name: 'json', help: 'Print JSON' }

/** One thing that an operator can set. */
export interface Option<T> {
  /** Flag without dashes, e.g. `vip-range`; also the key in the file. */
  readonly name: string
  /** What the value looks like in the help, e.g. `URL`. */
  readonly placeholder: string
  readonly help: string
  /** Shown in the help; undefined: none. */
  readonly defaultText?: string
  /** Its value is not shown, not even when it is wrong. */
  readonly isSecret?: true
  /** Turns text into a value. @throws Error whose message says what was expected */
  readonly parse: (text: string) => T
}

/** Where a value came from. */
export type OptionSource = 'file' | 'environment' | 'flag'

/** The texts that were given, by option name; the last source wins. */
export type GivenValues = ReadonlyMap<
  string,
  { readonly text: string; readonly source: OptionSource }
>

/** The environment variable of an option: `vip-range` → `NAVSTAR_VIP_RANGE`. */
export function environmentName(option: string): string {
  return `NAVSTAR_${option.toUpperCase().replaceAll('-', '_')}`
}

/** Splits `a,b,c`; empty text and `none` are an empty list. */
export function splitList(text: string): string[] {
  if (text === 'none') return []
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
}

/** A whole number within bounds. */
export function wholeNumber(minimum: number, maximum: number): (text: string) => number {
  return (text) => {
    const number = Number(text)
    if (/^\d+$/.test(text) && number >= minimum && number <= maximum) return number
    throw new Error(`expected a whole number from ${minimum} to ${maximum}`)
  }
}

/** One of a few words. */
export function oneOf<T extends string>(words: readonly T[]): (text: string) => T {
  return (text) => {
    const word = words.find((candidate) => candidate === text)
    if (word !== undefined) return word
    throw new Error(`expected one of ${words.join(', ')}`)
  }
}

/** Any text but none. */
export function nonEmpty(text: string): string {
  return text === '' ? fail('expected a value') : text
}

/** Refuses a text. @param expected what it should have been */
export function fail(expected: string): never {
  throw new Error(expected)
}

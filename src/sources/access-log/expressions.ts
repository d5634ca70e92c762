/** Writes bytes as a string constant of the engine; anything but plain ASCII goes as hex. */
export function quoted(text: string | Buffer): string {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'utf8') : text
  const ascii = bytes.every((byte) => byte >= 0x20 && byte < 0x7f)
  if (!ascii) return `unhex('${bytes.toString('hex')}')`
  return `'${bytes.toString('latin1').replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}

/**
 * Collects the named expressions of one format, in the order in which the engine evaluates them.
 */
export interface StepList {
  readonly steps: (readonly [name: string, expression: string])[]
  /** Adds a step and returns its name. */
  add(name: string, expression: string): string
}

/** Starts an empty list of steps; names get the prefix that keeps them apart from columns. */
export function createSteps(): StepList {
  const steps: (readonly [string, string])[] = []
  return {
    steps,
    add(name, expression) {
      const step = `f_${name}`
      steps.push([step, expression])
      return step
    },
  }
}

/**
 * The first of the expressions that says something: neither empty nor the log's `-`.
 *
 * Shape: each expression occurs once, because the engine's analyzer copies what a name stands for
 * to every place that uses it.
 */
export function firstPresent(expressions: readonly string[]): string {
  if (expressions.length === 0) return "''"
  const present = expressions.map((text) => `nullIf(nullIf(${text}, ''), '-')`)
  return `coalesce(${present.join(', ')}, '')`
}

/**
 * Evaluates an expression over a value that it uses several times, without repeating that value.
 */
export function withValue(value: string, name: string, expression: string): string {
  return `arrayElement(arrayMap(${name} -> ${expression}, [${value}]), 1)`
}

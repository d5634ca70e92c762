import { AppError } from '../../core/errors.ts'

/**
 * A log format cut at its variables: `literals[i]` stands before `variables[i]`, the last one ends
 * the line.
 */
export interface FormatString {
  readonly variables: readonly FormatVariable[]
  /** One more than there are variables; only the first and the last may be empty. */
  readonly literals: readonly string[]
}

export interface FormatVariable {
  /** Without `$` and braces, lower case. */
  readonly name: string
  /** Where it starts in the format text, for error messages. */
  readonly index: number
}

const FORMAT_LENGTH_MAX = 16_384
const VARIABLES_MAX = 200

/**
 * Cuts an nginx `log_format` at its variables.
 *
 * Shape: takes the bare string, or the whole directive (`log_format main escape=json '…' '…';`),
 * whose quoted pieces are joined as nginx joins them.
 * Errors: parameter_invalid with the place in the format marked by a caret.
 * Limits: 16 KiB of text, 200 variables.
 * Source: https://nginx.org/en/docs/http/ngx_http_log_module.html#log_format (read 2026-11-21).
 */
export function parseFormatString(text: string): FormatString {
  if (text.length > FORMAT_LENGTH_MAX) {
    throw new AppError(
      'parameter_invalid',
      `The log format is longer than ${FORMAT_LENGTH_MAX} characters.`,
    )
  }
  const format = joinDirective(text)
  const variables: FormatVariable[] = []
  const literals: string[] = []
  let literal = ''
  let index = 0
  while (index < format.length) {
    if (format[index] !== '$') {
      literal += format[index]
      index += 1
      continue
    }
    const { name, length } = variableAt(format, index)
    if (variables.length > 0 && literal === '') {
      throw formatError(format, index, 'needs text between it and the variable before it')
    }
    literals.push(literal)
    variables.push({ name, index })
    literal = ''
    index += length
  }
  literals.push(literal)
  checkCount(format, variables)
  return { variables, literals }
}

/** Builds the error that points at one place of the format. */
export function formatError(format: string, index: number, problem: string): AppError {
  // A window around the place keeps long formats readable on one terminal line.
  const from = Math.max(0, index - 50)
  const shown = format.slice(from, index + 30).replaceAll(/[\r\n\t]/g, ' ')
  const word = /^\$\{?\w*\}?/.exec(format.slice(index))?.[0] ?? ''
  const message = `Log format: ${word === '' ? 'this' : word} ${problem}.\n  ${shown}\n  ${' '.repeat(index - from)}^`
  return new AppError('parameter_invalid', message, { field: 'format' })
}

function checkCount(format: string, variables: readonly FormatVariable[]): void {
  const over = variables[VARIABLES_MAX]
  if (over !== undefined)
    throw formatError(format, over.index, `is one of more than ${VARIABLES_MAX} variables`)
  if (variables.length > 0) return
  throw new AppError(
    'parameter_invalid',
    `Log format "${format.slice(0, 80)}" has no $variables; give combined, common, json or an nginx log_format string.`,
    { field: 'format' },
  )
}

function variableAt(format: string, index: number): { name: string; length: number } {
  const rest = format.slice(index)
  const plain = /^\$(\w+)/.exec(rest)
  if (plain?.[1] !== undefined) return { name: plain[1].toLowerCase(), length: plain[0].length }
  const braced = /^\$\{(\w+)\}/.exec(rest)
  if (braced?.[1] !== undefined) return { name: braced[1].toLowerCase(), length: braced[0].length }
  const problem = rest.startsWith('${')
    ? 'is not closed: write ${name}'
    : 'is no variable: a $ is followed by a name such as $status'
  throw formatError(format, index, problem)
}

/** Joins the quoted pieces of a pasted directive; any other text is the format itself. */
function joinDirective(text: string): string {
  const head = /^\s*log_format\s+\S+\s+(?:escape=\w+\s+)?/.exec(text)
  if (head === null) return text.replace(/\r?\n$/, '')
  const pieces: string[] = []
  let rest = text.slice(head[0].length)
  while (rest !== '' && rest !== ';') {
    const piece = /^(?:'((?:\\[^]|[^'\\])*)'|"((?:\\[^]|[^"\\])*)")\s*/.exec(rest)
    if (piece === null) {
      throw formatError(
        text,
        text.length - rest.length,
        'is not a quoted piece of a log_format directive (\'…\' or "…")',
      )
    }
    pieces.push((piece[1] ?? piece[2] ?? '').replaceAll(/\\([\\'"])/g, '$1'))
    rest = rest.slice(piece[0].length).replace(/^;\s*$/, ';')
  }
  return pieces.join('')
}

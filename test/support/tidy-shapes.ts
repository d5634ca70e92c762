import { layersOf, type Layers, type SourceFile } from './source-text.ts'

/** Longest files, functions and lines. Tables in tests are read, not reasoned about. */
export const LIMITS = {
  fileLines: 400,
  testFileLines: 600,
  functionLines: 60,
  columns: 100,
} as const

const TESTS = /\.(?:test|suite)\.ts$|^test\//

/** Complains about files, functions and lines that are too long to take in. */
export function checkSizes(file: SourceFile): string[] {
  const lines = file.text.replace(/\n$/, '').split('\n')
  const most = TESTS.test(file.path) ? LIMITS.testFileLines : LIMITS.fileLines
  const found: string[] = []
  if (lines.length > most) {
    found.push(`${file.path}:1: ${lines.length} lines, at most ${most}; split the file`)
  }
  const layers = layersOf(file.text)
  for (const { name, start, ownLines } of measureFunctions(layers)) {
    const isList = /\/migrations\//.test(file.path)
    if (ownLines <= LIMITS.functionLines || isList) continue
    const size = `${ownLines} lines, at most ${LIMITS.functionLines}`
    found.push(`${file.path}:${start + 1}: ${name} has ${size}; split the function`)
  }
  const strings = layers.strings.split('\n')
  for (const [index, line] of lines.entries()) {
    // A text, a link or a pattern cannot be broken; the formatter leaves such lines long, too.
    const isUnbreakable =
      (strings[index]?.trim() ?? '') !== '' || /https?:\/\/|(?:^|[=(,:]) *\/[^/*\s].*\//.test(line)
    if (line.length <= LIMITS.columns || isUnbreakable) continue
    found.push(`${file.path}:${index + 1}: ${line.length} columns, at most ${LIMITS.columns}`)
  }
  return found
}

interface Block {
  readonly name: string
  /** Zero-based first and last line. */
  readonly start: number
  readonly end: number
}

interface Measured extends Block {
  readonly ownLines: number
}

const NAME =
  /^\s*(?:(?:export|default|async|const|static|override|private|function\*?|get) )*([#\w$]+)/
const NO_FUNCTION = /^\s*(?:\} )?(?:if|else|for|while|switch|catch|try|do|return|await|new|case)\b/
const METHOD = /^\s*(?:(?:static|async|override|get|set) )*\*?#?[\w$]+(?:<.*>)?\(.*\).* \{$/
const SIGNATURE_END = /^\s*\)(?:: .+)? (?:=> )?\{$/
const TEST_CALL = /^\s*(?:describe|test|it|beforeAll|beforeEach|afterAll|afterEach)\b/

/**
 * Measures every named function, method and test, each without the named ones inside it.
 *
 * Relies on the formatter: a body opens at the end of a line and closes at that line's indent.
 * Callbacks without a name count for the function that passes them; lines of text do not count.
 */
export function measureFunctions(layers: Layers): Measured[] {
  const code = layers.code.split('\n')
  const strings = layers.strings.split('\n')
  const blocks: Block[] = []
  for (const [index, line] of code.entries()) {
    if (!line.endsWith('{')) continue
    const isSignatureEnd = SIGNATURE_END.test(line)
    const start = isSignatureEnd ? lineBefore(code, index) : index
    const first = code[start] ?? ''
    const isFunction = isSignatureEnd
      ? !NO_FUNCTION.test(first)
      : /\bfunction\b|=> \{$/.test(line) || (METHOD.test(line) && !NO_FUNCTION.test(line))
    const isNamed =
      isSignatureEnd ||
      !line.endsWith('=> {') ||
      /^\s*(?:export )?const [\w$]+\b.*? = |^\s*(?:static )?#?[\w$]+(?:: | = )(?:async )?[(<]/.test(
        line,
      )
    if (!isFunction || !(isNamed || TEST_CALL.test(first))) continue
    const end = closingLine(code, index)
    blocks.push({ name: NAME.exec(first)?.[1] ?? '?', start, end })
  }
  return blocks
    .filter(({ start }) => !TEST_CALL.test(code[start] ?? ''))
    .map((block) => {
      const nested = nestedBlocks(block, blocks)
      let ownLines = 0
      for (let at = block.start; at <= block.end; at += 1) {
        const isText = (code[at] ?? '').trim() === '' && (strings[at] ?? '').trim() !== ''
        const isNested = nested.some(({ start, end }) => at >= start && at <= end)
        if (!isText && !isNested) ownLines += 1
      }
      return { ...block, ownLines }
    })
}

/** The named functions inside a block, at any depth. */
function nestedBlocks(block: Block, blocks: readonly Block[]): readonly Block[] {
  return blocks.filter(({ start, end }) => start > block.start && end < block.end)
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length
}

/** Finds the line above at the same indent, where a signature of several lines begins. */
function lineBefore(code: readonly string[], index: number): number {
  const indent = indentOf(code[index] ?? '')
  for (let at = index - 1; at >= 0; at -= 1) {
    const line = code[at] ?? ''
    if (line.trim() !== '' && indentOf(line) <= indent) return at
  }
  return index
}

function closingLine(code: readonly string[], index: number): number {
  const indent = indentOf(code[index] ?? '')
  const end = code.findIndex(
    (line, at) => at > index && line.trim() !== '' && indentOf(line) <= indent,
  )
  return end === -1 ? code.length - 1 : end
}

const EXPORT = /^export (?:abstract )?(?:async )?(function|class|const|interface|type)\*? ([\w$]+)/

/**
 * Complains about exports without a docstring.
 *
 * One docstring covers the lines that follow without a blank line. A table, an interface or a type
 * may do without when its members or its schema carry the text, or when the file begins with a
 * heading docstring that explains them all. A type that is derived from a value has the value's
 * docstring.
 */
export function checkDocstrings(file: SourceFile): string[] {
  if (!file.path.startsWith('src/') || TESTS.test(file.path)) return []
  const lines = file.text.split('\n')
  const hasHeading = file.text.startsWith('/**') && headingStandsAlone(lines)
  const seen = new Set<string>()
  return lines.flatMap((line, index) => {
    const [, kind, name] = EXPORT.exec(line) ?? []
    if (kind === undefined || name === undefined) return []
    const isOverload = seen.has(name)
    seen.add(name)
    if (isOverload || isCovered(lines, index)) return []
    const isData = kind !== 'function' && kind !== 'class'
    if (isData && (hasHeading || explainsItself(lines, index, kind))) return []
    return [
      `${file.path}:${index + 1}: ${kind} ${name} needs a docstring: its effect in one sentence`,
    ]
  })
}

function headingStandsAlone(lines: readonly string[]): boolean {
  const end = lines.findIndex((line) => line.endsWith('*/'))
  const next = lines[end + 1] ?? ''
  return next === '' || next.startsWith('import ')
}

/** A docstring above, or an export directly above that has one. */
function isCovered(lines: readonly string[], index: number): boolean {
  const above = lines[index - 1] ?? ''
  if (above.endsWith('*/')) return true
  if (above === '') return false
  const previous = lines.findLastIndex((line, at) => at < index && EXPORT.test(line))
  return previous !== -1 && !lines.slice(previous, index).includes('') && isCovered(lines, previous)
}

function explainsItself(lines: readonly string[], index: number, kind: string): boolean {
  const line = lines[index] ?? ''
  if (kind === 'type' && /\btypeof\b|= \w+\['\w+'\]/.test(line)) return true
  const end = lines.findIndex(
    (next, at) => at > index && (next === '' || next.startsWith('export ')),
  )
  const body = lines.slice(index, end === -1 ? undefined : end)
  return body.some((member) => /^ {2,}\/\*\*|\.describe\($|\.describe\(['"`]/.test(member))
}

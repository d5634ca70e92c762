import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
} from 'yaml'
import type { Problem } from '../core/errors.ts'

/** A problem and where in the text it is; both count from 1. */
export interface PlacedProblem extends Problem {
  readonly line: number
  readonly column: number
}

/** A field at fault: a path of keys and list positions, and whether the key itself is meant. */
export interface FieldPath {
  readonly path: readonly PropertyKey[]
  readonly atKey?: boolean
}

/** A YAML text that has been read. */
export interface PackText {
  /** What the text says; an empty text says `{}`. */
  readonly value: unknown
  /** What keeps it from being YAML; then `value` means nothing. */
  readonly problems: readonly PlacedProblem[]
  /** Finds where a field stands; for one that is missing, where what should hold it stands. */
  readonly place: (field: FieldPath) => { readonly line: number; readonly column: number }
}

/** Reads a YAML text and remembers where each field stands. */
export function readPackText(text: string): PackText {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines })
  const at = (offset: number): { line: number; column: number } => {
    const { line, col } = lines.linePos(offset)
    return { line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  const place = (field: FieldPath) => at(offsetOf(document, field))
  // A warning is about a tag that nobody here knows, so what it marks cannot be meant as read.
  const problems = [...document.errors, ...document.warnings].map(({ message, pos }) => {
    const [summary = message] = message.split('\n')
    const cause = summary.replace(/ at line \d+, column \d+:?$/, '')
    return { ...at(pos[0]), field: '', message: `is no YAML: ${cause}` }
  })
  if (problems.length > 0) return { value: undefined, problems, place }
  try {
    return { value: document.toJS() ?? {}, problems, place }
  } catch (error) {
    // Aliases of aliases may grow without limit, and an alias may lead nowhere.
    if (!(error instanceof ReferenceError)) throw error
    const message = `is no YAML: ${error.message}`
    return { value: undefined, problems: [{ ...at(0), field: '', message }], place }
  }
}

function offsetOf(document: Document, { path, atKey = false }: FieldPath): number {
  let node: unknown = document.contents
  let offset = startOf(node, 0)
  for (const [depth, key] of path.entries()) {
    const holder = isAlias(node) ? node.resolve(document) : node
    if (isSeq(holder)) node = holder.items[Number(key)]
    else if (isMap(holder)) {
      const pair = holder.items.find((item) => isScalar(item.key) && item.key.value === key)
      if (pair === undefined) return offset
      offset = startOf(pair.key, offset)
      if (atKey && depth === path.length - 1) return offset
      node = pair.value
    } else return offset
    offset = startOf(node, offset)
  }
  return offset
}

function startOf(node: unknown, otherwise: number): number {
  return isNode(node) ? (node.range?.[0] ?? otherwise) : otherwise
}

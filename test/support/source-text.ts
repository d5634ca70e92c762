/** One file of the tree, as the tidy rules see it. `path` is relative to the root, with `/`. */
export interface SourceFile {
  readonly path: string
  readonly text: string
}

/** The same text three times, each with everything else blanked out; offsets and lines stay. */
export interface Layers {
  readonly code: string
  readonly strings: string
  readonly comments: string
}

type Layer = keyof Layers

/** What may stand before a `/` that begins a regular expression rather than divides. */
const BEFORE_REGEX = /(?:^|[(,=:[!&|?{};<>+\-*%~^]|\breturn|\btypeof|\bcase|=>)\s*$/

/**
 * Tells code, text and comments of a TypeScript file apart.
 *
 * Shape: quotes and comment marks belong to their layer; regular expressions count as code.
 * Template literals are text, their `${…}` is code. Knows no more of the grammar than formatted
 * code needs.
 */
export function layersOf(text: string): Layers {
  const known = KNOWN.get(text)
  if (known !== undefined) return known
  const layers = readLayers(text)
  KNOWN.set(text, layers)
  return layers
}

/** Every rule asks for the layers of every file. */
const KNOWN = new Map<string, Layers>()

function readLayers(text: string): Layers {
  const layers: Record<Layer, string[]> = { code: [], strings: [], comments: [] }
  const put = (layer: Layer, piece: string): void => {
    const blank = piece.replace(/[^\n]/g, ' ')
    for (const name of ['code', 'strings', 'comments'] as const) {
      layers[name].push(name === layer ? piece : blank)
    }
  }
  // Depth of braces at which each open `${` ends; the template goes on behind it.
  const templates: number[] = []
  let depth = 0
  let at = 0
  let codeBefore = ''
  while (at < text.length) {
    const [layer, end] = nextPiece(text, at, codeBefore, templates.at(-1) === depth)
    const piece = text.slice(at, end)
    put(layer, piece)
    at = end
    if (layer === 'strings') {
      if (piece.startsWith('}')) templates.pop()
      if (piece.endsWith('${')) templates.push(depth)
      codeBefore = 'text'
    } else if (layer === 'code') {
      if (piece === '{') depth += 1
      if (piece === '}') depth -= 1
      codeBefore = (codeBefore + piece).slice(-16)
    }
  }
  return {
    code: layers.code.join(''),
    strings: layers.strings.join(''),
    comments: layers.comments.join(''),
  }
}

/** Finds the layer of the piece that begins at `at`, and where it ends. */
function nextPiece(
  text: string,
  at: number,
  codeBefore: string,
  endsTemplateCode: boolean,
): [Layer, number] {
  const rest = (pattern: RegExp): number => {
    pattern.lastIndex = at
    const found = pattern.exec(text)
    return found === null ? text.length : found.index + found[0].length
  }
  const char = text[at]
  if (char === '`' || (char === '}' && endsTemplateCode)) {
    return ['strings', rest(/[`}](?:[^`\\$]|\\[^]|\$(?!\{))*(?:`|\$\{)/y)]
  }
  if (char === "'") return ['strings', rest(/'(?:[^'\\\n]|\\[^])*'/y)]
  if (char === '"') return ['strings', rest(/"(?:[^"\\\n]|\\[^])*"/y)]
  if (text.startsWith('//', at)) return ['comments', rest(/[^\n]*/y)]
  if (text.startsWith('/*', at)) return ['comments', rest(/\/\*[^]*?\*\//y)]
  if (char === '/' && BEFORE_REGEX.test(codeBefore)) {
    return ['code', rest(/\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/\w*/y)]
  }
  if (char === '{' || char === '}' || char === '/') return ['code', at + 1]
  return ['code', rest(/[^`'"/{}]+/y)]
}

/** One-based line of an offset. */
export function lineAt(text: string, offset: number): number {
  let line = 1
  for (let at = text.indexOf('\n'); at !== -1 && at < offset; at = text.indexOf('\n', at + 1)) {
    line += 1
  }
  return line
}

import { layersOf, lineAt, type Layers, type SourceFile } from './source-text.ts'

interface Ban {
  readonly layer: keyof Layers
  readonly pattern: RegExp
  /** What to use instead. */
  readonly use: string
  /** Product code only, or tests, benchmarks and scripts as well. */
  readonly where: 'product' | 'everywhere'
  /** Paths where it is right. */
  readonly except?: RegExp
}

/** What the sources do without, and what to use instead. */
export const BANS: readonly Ban[] = [
  {
    layer: 'code',
    pattern: /\bDate\.now\(|\bnew Date\(\s*\)|\bperformance\.now\(/g,
    use: 'the clock that is passed in (core/clock.ts)',
    where: 'product',
    except: /^src\/core\/clock\.ts$/,
  },
  {
    layer: 'code',
    pattern: /\bprocess\.env\b/g,
    use: 'config (src/config/load.ts reads the environment)',
    where: 'product',
    except: /^src\/config\//,
  },
  {
    layer: 'strings',
    pattern: /\bSELECT |\bINSERT INTO\b|\bCREATE (?:TABLE|DATABASE|DICTIONARY)\b/g,
    use: 'a function of src/store; SQL lives there only',
    where: 'product',
    except: /^src\/store\//,
  },
  {
    layer: 'code',
    pattern: /\bconsole\.\w+\(/g,
    use: 'the log that is passed in; only commands print',
    where: 'product',
    except: /^src\/cli\/|^src\/main\.ts$/,
  },
  {
    layer: 'code',
    pattern: /\.message\s*\.(?:includes|startsWith|endsWith|match|indexOf)\(/g,
    use: 'the code of the error; texts change',
    where: 'everywhere',
  },
  {
    layer: 'code',
    pattern: /\bcatch\s*(?:\([^)]*\)\s*)?\{\s*\}/g,
    use: 'a handler that acts, or no catch at all',
    where: 'everywhere',
  },
  {
    layer: 'code',
    pattern: /\bvi\.(?:mock|doMock)\(|\bjest\./g,
    use: 'a fake that is passed in',
    where: 'everywhere',
  },
  {
    layer: 'code',
    pattern: /^\s*(?:export )?(?:const )?(?:enum|namespace) \w|^export \*/gm,
    use: 'a union of literals, a file, or named exports',
    where: 'everywhere',
  },
  {
    layer: 'comments',
    pattern: /\b(?:TODO|FIXME|XXX|HACK)\b(?!.*https?:\/\/)/g,
    use: 'an issue, with its link behind the mark',
    where: 'everywhere',
  },
]

const NO_PRODUCT = /\.(?:test|suite)\.ts$|^(?:test|bench|scripts|bin)\//

/** Complains about banned code, naming what to use instead. */
export function checkBans(file: SourceFile): string[] {
  const layers = layersOf(file.text)
  const bans = BANS.filter(
    ({ where, except }) =>
      except?.test(file.path) !== true && (where === 'everywhere' || !NO_PRODUCT.test(file.path)),
  )
  return bans.flatMap(({ layer, pattern, use }) =>
    [...layers[layer].matchAll(pattern)].map((match) => {
      const line = lineAt(file.text, match.index + match[0].search(/\S/))
      return `${file.path}:${line}: ${match[0].trim()} is banned, use ${use}`
    }),
  )
}

const EMPTY_NAMES = /^(?:utils?|helpers?|common|shared|misc|types|managers?|services?|index)$/

/** Complains about names that say nothing of what is inside. */
export function checkNames(path: string): string[] {
  const parts = path.split('/').map((part) => part.replace(/(?:\.\w+)+$/, ''))
  const found = parts.filter((part) => EMPTY_NAMES.test(part))
  const isKebab = !path.startsWith('src/') || /^[a-z0-9./-]+$/.test(path)
  return [
    ...found.map((part) => `${path}:1: the name ${part} says nothing; name what is inside`),
    ...(isKebab ? [] : [`${path}:1: names are kebab-case`]),
  ]
}

const TITLED =
  /^(\s*)(describe|test|it)\b(?:\.\w+(?:<.*>)?(?:\(.*?\))?)*\(?(['"`].*?['"`])(?:,|\)|$)/

/** Complains about two tests of a group with one title: a report could not tell them apart. */
export function checkTitles(file: SourceFile): string[] {
  // The groups that the line is in, outermost first; the file itself is one.
  const groups = [{ indent: -1, titles: new Map<string, number>() }]
  const found: string[] = []
  for (const [index, line] of file.text.split('\n').entries()) {
    const [, space, call, title] = TITLED.exec(line) ?? []
    if (space === undefined || call === undefined || title === undefined) continue
    while ((groups.at(-1)?.indent ?? -1) >= space.length) groups.pop()
    const titles = groups.at(-1)?.titles ?? new Map<string, number>()
    const first = titles.get(title)
    if (first !== undefined) {
      found.push(`${file.path}:${index + 1}: the title ${title} is also that of line ${first}`)
    }
    titles.set(title, index + 1)
    if (call === 'describe') groups.push({ indent: space.length, titles: new Map() })
  }
  return found
}

interface Wording {
  /** Where the word is looked for; null: everywhere. Code may have to speak as others do. */
  readonly layer: keyof Layers | null
  readonly pattern: RegExp
  readonly use: string
}

/** Words that have a better one in the glossary, or that speak of how a text came about. */
const WORDS: readonly Wording[] = [
  {
    layer: 'comments',
    pattern: /(?<!user[-_ ])\bagents?\b/gi,
    use: 'exporter, source or client',
  },
  {
    layer: 'comments',
    pattern: /\b(?:generated|authored|written) (?:by|with)[: ]+(?:an? )?(?:ai|llm|assistant)\b/gi,
    use: 'what the text is about',
  },
  {
    layer: null,
    pattern: /(?<![\w.-])\/(?:work\/(?:main|shared)|root|home\/\w+|Users\/\w+)\b/g,
    use: 'a path relative to the root',
  },
  { layer: null, pattern: /^(?:<{7}|>{7}) /gm, use: 'one side of the conflict' },
]

/** Complains about words that do not belong in the product; prose is all comment. */
export function checkWords(file: SourceFile): string[] {
  const layers = /\.(?:ts|mjs)$/.test(file.path) ? layersOf(file.text) : null
  return WORDS.flatMap(({ layer, pattern, use }) => {
    const text = layer === null || layers === null ? file.text : layers[layer]
    return [...text.matchAll(pattern)].map(
      (match) =>
        `${file.path}:${lineAt(text, match.index)}: "${match[0].trim()}" is banned, use ${use}`,
    )
  })
}

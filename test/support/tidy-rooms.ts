import { dirname, join } from 'node:path/posix'
import { layersOf, lineAt, type SourceFile } from './source-text.ts'

/** What a room may reach: rooms by value, rooms by `import type` only. */
interface Reach {
  readonly values: readonly string[]
  readonly types: readonly string[]
}

function reach(values: string, types = ''): Reach {
  return { values: values.split(' '), types: types.split(' ') }
}

const DIALECT = reach('core meters catalog api api/operations')
const STORE = reach('core meters telemetry', 'catalog ingest billing api/operations')

/**
 * Room → the rooms it may import. Read it top to bottom: this is the architecture.
 *
 * Folders of `src` are rooms; so are the folders of `sources`, `store` and `api`. `api` itself is
 * the files directly under it. `compose` is `src/compose*.ts`: it and `main.ts` import everything.
 */
export const ROOMS: Readonly<Record<string, Reach>> = {
  core: reach(''),
  config: reach('core'),
  telemetry: reach('core'),
  meters: reach('core'),
  catalog: reach('core meters'),
  geo: reach('core', 'meters'),
  'sources/access-log': reach('core meters catalog'),
  'sources/usage-http': reach('core meters catalog'),
  ingest: reach('core meters catalog telemetry'),
  rating: reach('core meters catalog'),
  billing: reach('core meters catalog rating telemetry'),
  'api/operations': reach('core meters catalog rating billing'),
  'api/ucloud': DIALECT,
  'api/tencent': DIALECT,
  'api/native': DIALECT,
  'api/ingest': DIALECT,
  'api/admin': DIALECT,
  api: reach(
    'core meters catalog rating billing telemetry ' +
      'api/operations api/ucloud api/tencent api/native api/ingest api/admin',
  ),
  'store/usage': STORE,
  'store/control': STORE,
  example: reach('core meters catalog'),
  cli: reach(
    'core config telemetry meters catalog rating ingest sources/access-log ' +
      'sources/usage-http example api compose',
  ),
}

const HTTP = 'api api/admin api/ingest api/native sources/usage-http compose'

/** npm package → the rooms that may use it; what is not listed may be used nowhere in `src`. */
export const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  '@clickhouse/client': ['store/usage'],
  // Only its font files are read.
  '@embedpdf/fonts-sc': ['billing'],
  chdb: ['store/usage'],
  commander: ['cli', 'main.ts'],
  fastify: HTTP.split(' '),
  fzstd: ['sources/access-log', 'sources/usage-http'],
  ip2region: ['geo'],
  kysely: ['store/control'],
  libsql: ['store/control'],
  nodemailer: ['billing'],
  pdfkit: ['billing'],
  pg: ['store/control'],
  pino: ['telemetry'],
  'prom-client': ['telemetry'],
  yaml: ['config', 'catalog', 'rating', 'cli'],
  zod: [
    'config',
    'catalog',
    'rating',
    'api/operations',
    'sources/access-log',
    'cli',
    ...HTTP.split(' '),
  ],
}

const SUBROOMS = new Set(['sources', 'store', 'api'])

/** Names the room of a path under `src`. */
export function roomOf(path: string): string {
  const [, first = '', second, third] = path.split('/')
  if (second === undefined) return first.startsWith('compose') ? 'compose' : first
  return SUBROOMS.has(first) && second !== undefined && third !== undefined
    ? `${first}/${second}`
    : first
}

interface Import {
  readonly specifier: string
  readonly isType: boolean
  readonly line: number
}

const IMPORT =
  /^(?:import|export)\s+(type\s+)?(?:[^'"();=]*?\sfrom\s+)?['"]([^'"\n]+)['"]|\bimport\(\s*['"]([^'"\n]+)['"]/gm

/** Lists what a file imports, dynamic imports and re-exports included. */
export function importsOf(file: SourceFile): Import[] {
  const { code } = layersOf(file.text)
  return [...file.text.matchAll(IMPORT)].flatMap((match) => {
    const [, type, specifier = match[3] ?? ''] = match
    // The words in a text or a comment are none.
    if (code[match.index] === ' ') return []
    return [{ specifier, isType: type !== undefined, line: lineAt(file.text, match.index) }]
  })
}

/** Complains about imports that the rooms do not allow. Tests may import what they test with. */
export function checkImports(file: SourceFile): string[] {
  if (!file.path.startsWith('src/') || /\.(?:test|suite)\.ts$/.test(file.path)) return []
  const from = roomOf(file.path)
  const isRoot = from === 'compose' || from.endsWith('.ts')
  if (!isRoot && ROOMS[from] === undefined) {
    return [`${file.path}:1: room ${from} is not in ROOMS of test/support/tidy-rooms.ts`]
  }
  return importsOf(file).flatMap(({ specifier, isType, line }) => {
    const problem = specifier.startsWith('.')
      ? roomProblem(file.path, from, specifier, isType)
      : packageProblem(from, specifier)
    return problem === undefined ? [] : [`${file.path}:${line}: ${problem}`]
  })
}

function roomProblem(
  path: string,
  from: string,
  specifier: string,
  isType: boolean,
): string | undefined {
  const target = join(dirname(path), specifier)
  if (!target.startsWith('src/')) return `${from} must not import ${target}, which is not in src`
  const to = roomOf(target)
  if (to === from) return undefined
  const allowed = ROOMS[from]
  if (allowed !== undefined && !allowed.values.includes(to)) {
    if (!allowed.types.includes(to)) return `${from} must not import ${to}`
    if (!isType) return `${from} must not import ${to} but by \`import type\``
  }
  const isDirect = dirname(target) === `src/${to}` || dirname(target) === 'src'
  return isDirect ? undefined : `${target} is private to ${to}; import a file of src/${to}/ itself`
}

function packageProblem(from: string, specifier: string): string | undefined {
  if (specifier.startsWith('node:')) return undefined
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
  if (PACKAGES[name]?.includes(from)) return undefined
  return `${from} must not import the package ${name}; see PACKAGES of test/support/tidy-rooms.ts`
}

/**
 * Complains about files that import each other in a circle, `import type` aside.
 *
 * The rooms of `api` may reach each other (its own files are both floor and roof of the dialects),
 * so the table alone would not forbid it.
 */
export function checkCircles(files: readonly SourceFile[]): string[] {
  const edges = new Map<string, readonly string[]>()
  for (const file of files) {
    const targets = importsOf(file).filter(
      ({ specifier, isType }) => specifier.startsWith('.') && !isType,
    )
    edges.set(
      file.path,
      targets.map(({ specifier }) => join(dirname(file.path), specifier)),
    )
  }
  const done = new Set<string>()
  const walk = (path: string, trail: readonly string[]): string[] => {
    if (trail.includes(path)) {
      const circle = [...trail.slice(trail.indexOf(path)), path]
      return [`${path}:1: files in a circle: ${circle.join(' → ')}`]
    }
    if (done.has(path)) return []
    const found = (edges.get(path) ?? []).flatMap((next) => walk(next, [...trail, path]))
    done.add(path)
    return found
  }
  return [...edges.keys()].flatMap((path) => walk(path, []))
}

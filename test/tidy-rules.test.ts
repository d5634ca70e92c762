import { describe, expect, test } from 'vitest'
import { checkLock, type LockedPackage } from './support/lock-file.ts'
import { layersOf } from './support/source-text.ts'
import { checkCircles, checkImports, roomOf } from './support/tidy-rooms.ts'
import { checkBans, checkNames, checkTitles, checkWords } from './support/tidy-rules.ts'
import { checkDocstrings, checkSizes, LIMITS, measureFunctions } from './support/tidy-shapes.ts'

/** What a checker says of a planted text, without the path. */
function say(
  check: (file: { path: string; text: string }) => string[],
  path: string,
  text: string,
) {
  return check({ path, text }).map((problem) => problem.replace(`${path}:`, ''))
}

describe('code, texts and comments are told apart', () => {
  const visible = (text: string) => text.replace(/ +/g, ' ').trim()
  test.each([
    ["a('//') // b", "'//'", '// b'],
    ['a(`x ${b(`y`)} /* z */`) /* c */', '`x ${ `y` } /* z */`', '/* c */'],
    ["a(/'[/]'/g, 'b') // c", "'b'", '// c'],
    ['a = b / c / d // "e"', '', '// "e"'],
    [String.raw`a('\'// b') // c`, String.raw`'\'// b'`, '// c'],
    ['a(`\\`${"b"}`) // c', '`\\`${"b"}`', '// c'],
  ])('%s', (text, strings, comments) => {
    const layers = layersOf(text)
    expect(visible(layers.strings)).toBe(strings)
    expect(visible(layers.comments)).toBe(comments)
    expect(layers.code).toHaveLength(text.length)
  })
})

describe('imports', () => {
  test.each([
    ['src/rating/a.ts', '../core/units.ts', []],
    ['src/rating/a.ts', '../store/usage/reader.ts', ['1: rating must not import store/usage']],
    ['src/core/a.ts', '../rating/a.ts', ['1: core must not import rating']],
    ['src/core/a.ts', 'zod', ['1: core must not import the package zod; see PACKAGES']],
    ['src/ingest/a.ts', '../store/control/sqlite.ts', ['1: ingest must not import store/control']],
    [
      'src/store/usage/a.ts',
      '../../ingest/batch.ts',
      ['1: store/usage must not import ingest but'],
    ],
    [
      'src/store/usage/a.ts',
      '../control/sqlite.ts',
      ['1: store/usage must not import store/control'],
    ],
    ['src/api/ucloud/a.ts', '../operations/regions.ts', []],
    ['src/api/ucloud/a.ts', '../tencent/dialect.ts', ['1: api/ucloud must not import api/tencent']],
    [
      'src/api/ucloud/a.ts',
      '@clickhouse/client',
      ['1: api/ucloud must not import the package @cl'],
    ],
    [
      'src/cli/a.ts',
      '../sources/access-log/b/c.ts',
      ['1: src/sources/access-log/b/c.ts is private'],
    ],
    ['src/cli/a.ts', '../compose.ts', []],
    ['src/api/a.ts', '../compose.ts', ['1: api must not import compose']],
    [
      'src/core/a.ts',
      '../../test/support/fakes.ts',
      ['1: core must not import test/support/fakes'],
    ],
    ['src/core/a.test.ts', '../../test/support/fakes.ts', []],
    ['src/compose.ts', './store/usage/open.ts', []],
    ['src/whims/a.ts', '../core/units.ts', ['1: room whims is not in ROOMS']],
  ])('%s takes from %s', (path, specifier, wanted) => {
    const found = say(checkImports, path, `import { a } from '${specifier}'\n`)
    expect(found).toHaveLength(wanted.length)
    for (const [index, text] of wanted.entries()) expect(found[index]).toContain(text)
  })

  test('a type may be taken where a value may not', () => {
    const text = "import type {\n  A,\n} from '../../ingest/batch.ts'\n"
    expect(say(checkImports, 'src/store/usage/a.ts', text)).toEqual([])
  })

  test.each([
    "import { a } from '../rating/a.ts'",
    "import '../rating/a.ts'",
    "export { a } from '../rating/a.ts'",
    "const a = await import('../rating/a.ts')",
    "import {\n  a,\n  type B,\n} from '../rating/a.ts'",
    'import a from "../rating/a.ts"',
  ])('%s is seen', (text) => {
    expect(say(checkImports, 'src/core/a.ts', text)).toEqual(['1: core must not import rating'])
  })

  test('a circle is told with its way', () => {
    const from = (path: string, target: string) => ({ path, text: `import { a } from '${target}'` })
    const files = [
      from('src/a.ts', './b.ts'),
      from('src/b.ts', './c.ts'),
      from('src/c.ts', './b.ts'),
    ]
    expect(checkCircles(files)).toEqual([
      'src/b.ts:1: files in a circle: src/b.ts → src/c.ts → src/b.ts',
    ])
  })

  test.each([
    ['src/compose-server.ts', 'compose'],
    ['src/core/clock.ts', 'core'],
    ['src/api/dialects.ts', 'api'],
    ['src/api/ucloud/dialect.ts', 'api/ucloud'],
    ['src/store/control/migrations/list.ts', 'store/control'],
  ])('%s is in room %s', (path, room) => {
    expect(roomOf(path)).toBe(room)
  })
})

describe('banned code', () => {
  test.each([
    ['const now = Date.now()', '1: Date.now( is banned, use the clock that is passed in'],
    ['const now = new Date()', '1: new Date() is banned, use the clock'],
    ["const a = process.env['A']", '1: process.env is banned, use config'],
    ['\nconst a = `SELECT 1`', '2: SELECT is banned, use a function of src/store'],
    ["console.log('a')", '1: console.log( is banned, use the log'],
    ["if (error.message.includes('a')) b()", '1: .message.includes( is banned, use the code'],
    ['try { a() } catch {}', '1: catch {} is banned, use a handler'],
    ['try { a() } catch (error) { }', '1: catch (error) { } is banned, use a handler'],
    ['// TODO later', '1: TODO is banned, use an issue'],
    ['enum A {}', '1: enum A is banned, use a union'],
    ["export * from './a.ts'", '1: export * is banned, use a union'],
  ])('%s', (text, wanted) => {
    const found = say(checkBans, 'src/ingest/a.ts', text)
    expect(found).toHaveLength(1)
    expect(found[0]).toContain(wanted)
  })

  test.each([
    ['src/core/clock.ts', 'Date.now()'],
    ['src/store/usage/a.ts', '`SELECT 1`'],
    ['src/cli/a.ts', "console.log('a')"],
    ['src/config/load.ts', 'process.env'],
    ['src/ingest/a.test.ts', 'Date.now()'],
    ['src/ingest/a.ts', "// Date.now() is wrong here\nconst a = 'Date.now()'"],
    ['src/ingest/a.ts', 'new Date(1)'],
    ['src/ingest/a.ts', '// TODO https://example.com/issues/1'],
  ])('in %s, %s is right', (path, text) => {
    expect(say(checkBans, path, text)).toEqual([])
  })
})

describe('names', () => {
  test.each(['src/core/utils.ts', 'src/shared/a.ts', 'src/api/types.ts', 'src/api/index.ts'])(
    '%s says nothing',
    (path) => {
      expect(checkNames(path)).toHaveLength(1)
    },
  )

  test.each(['src/core/units.ts', 'src/store/usage/usage-store.suite.ts', 'README.md'])(
    '%s is a name',
    (path) => {
      expect(checkNames(path)).toEqual([])
    },
  )
})

describe('sizes', () => {
  const lines = (count: number, line = '  a()') => Array.from({ length: count }, () => line)
  const own = (text: string) =>
    measureFunctions(layersOf(text)).map((one) => [one.name, one.ownLines])

  test.each<[string, readonly string[], readonly [string, number][]]>([
    ['a function', ['export async function a() {', ...lines(8), '}'], [['a', 10]]],
    [
      'a long signature',
      ['function a(', '  b: B,', '): { c: D } {', ...lines(6), '}'],
      [['a', 10]],
    ],
    ['an arrow', ['export const a = async (b: B): Promise<C> => {', ...lines(8), '}'], [['a', 10]]],
    [
      'a method',
      ['class A {', '  async #a(b: B) {', ...lines(3, '    c()'), '  }', '}'],
      [['#a', 5]],
    ],
    [
      'blocks are no functions',
      ['function a() {', '  if (b) {', '    c()', '  }', '}'],
      [['a', 5]],
    ],
    [
      'a callback counts',
      ['function a() {', '  b.map((c) => {', '    d()', '  })', '}'],
      [['a', 5]],
    ],
    ['a text does not', ['function a() {', '  return `', 'b', 'c', '`', '}'], [['a', 3]]],
    [
      'members count for themselves',
      ['function a() {', '  return {', '    b: async () => {', '      c()', '    },', '  }', '}'],
      [
        ['a', 4],
        ['b', 3],
      ],
    ],
    ['tests are exempt', ["test('a', () => {", ...lines(8), '})'], []],
  ])('%s', (_what, text, wanted) => {
    expect(own(text.join('\n'))).toEqual(wanted)
  })

  test('a function that is too long is named with its limit', () => {
    const text = ['function a() {', ...lines(LIMITS.functionLines - 1), '}', ''].join('\n')
    expect(say(checkSizes, 'src/core/a.ts', text)).toEqual([
      '1: a has 61 lines, at most 60; split the function',
    ])
  })

  test('a file may have 400 lines, its tests more', () => {
    const text = `${lines(401, '').join('\n')}\n`
    expect(say(checkSizes, 'src/core/a.ts', text)).toHaveLength(1)
    expect(say(checkSizes, 'src/core/a.ts', text.slice(1))).toEqual([])
    expect(say(checkSizes, 'src/core/a.test.ts', text)).toEqual([])
  })

  test.each([
    [`// ${'a '.repeat(60)}`, 1],
    [`/** ${'a '.repeat(60)} */`, 1],
    [`// https://example.com/${'a'.repeat(100)}`, 0],
    [`const a = '${'a '.repeat(60)}'`, 0],
    [`  /^${'a '.repeat(60)}$/i`, 0],
  ])('%s', (text, count) => {
    expect(say(checkSizes, 'src/core/a.ts', text)).toHaveLength(count)
  })
})

describe('docstrings', () => {
  const path = 'src/core/a.ts'
  test.each([
    'export function a(): void {}',
    'export const A = 1',
    'export class A {\n  /** Does b. */\n  b() {}\n}',
    'export interface A {\n  readonly b: number\n}',
    "export type A = 'b' | 'c'",
    '/** About a. */\nexport const A = 1\n\nexport const B = 2',
    '// Not a docstring.\nexport const A = 1',
    '/** About A. */\nexport const A = 1\n\nexport function b(): void {}',
  ])('%s lacks one', (text) => {
    expect(say(checkDocstrings, path, text)).toHaveLength(1)
  })

  test.each([
    '/** Does a. */\nexport function a(): void {}',
    '/** Does a. */\nexport function a(b: string): void\nexport function a(): void {}',
    '/** Spans. */\nexport const A = 1\nexport const B = 2',
    'export interface A {\n  /** How many. */\n  readonly b: number\n}',
    'export const A = z\n  .string()\n  .describe("Name.")',
    'export type A = (typeof B)[number]',
    '/** Rows. */\n\nexport interface A {\n  b: number\n}',
  ])('%s has one', (text) => {
    expect(say(checkDocstrings, path, text)).toEqual([])
  })
})

describe('titles', () => {
  test('twice in one group is once too often, in two groups it is not', () => {
    const group = (name: string) => `describe('${name}', () => {\n  test('a', () => {})\n})\n`
    expect(say(checkTitles, 'src/a.test.ts', group('b') + group('c'))).toEqual([])
    expect(say(checkTitles, 'src/a.test.ts', group('b') + group('b'))).toHaveLength(1)
    const nested = "describe('b', () => {\n  test('a', f)\n  it.each(rows)('a', f)\n})\n"
    expect(say(checkTitles, 'src/a.test.ts', nested)).toEqual([
      "3: the title 'a' is also that of line 2",
    ])
  })
})

describe('words', () => {
  const home = ['', 'home', 'somebody', 'a'].join('/')
  test.each([
    ['docs/a.md', 'The agent sends records.', 1],
    ['src/a.ts', '// The agent sends records.', 1],
    ['src/a.ts', "const format = '$http_user_agent agent'", 0],
    ['docs/a.md', 'The user agent is skipped.', 0],
    ['src/a.ts', `const a = '${home}'`, 1],
    ['docs/a.md', `${'<'.repeat(7)} HEAD`, 1],
  ])('%s: %s', (path, text, count) => {
    expect(say(checkWords, path, text)).toHaveLength(count)
  })
})

describe('the lock file', () => {
  const machines = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64']
  const entry = { version: '1.0.0' }
  const native = (name: string): Record<string, LockedPackage> => {
    const engines = machines.map((machine) => `@${name}/lib-${machine}`)
    return {
      [`node_modules/${name}`]: {
        ...entry,
        optionalDependencies: Object.fromEntries(engines.map((each) => [each, '1.0.0'])),
      },
      ...Object.fromEntries(engines.map((each) => [`node_modules/${each}`, entry])),
    }
  }
  const packages: Record<string, LockedPackage> = {
    '': { optionalDependencies: { chdb: '1.0.0' } },
    ...native('chdb'),
    ...native('libsql'),
    'node_modules/a/node_modules/b': { ...entry, optionalDependencies: { c: '^1', d: '^1' } },
    'node_modules/a/node_modules/c': entry,
    'node_modules/d': entry,
  }

  test('holds what is installed at any depth', () => {
    expect(checkLock({ packages })).toEqual([])
  })

  test.each([
    'node_modules/@chdb/lib-darwin-arm64',
    'node_modules/@libsql/lib-linux-arm64',
    'node_modules/a/node_modules/c',
    'node_modules/d',
    'node_modules/chdb',
  ])('%s must not drop', (place) => {
    const { [place]: _, ...rest } = packages
    const name = place.replace(/^.*node_modules\//, '')
    expect(checkLock({ packages: rest })[0]).toContain(`package-lock.json: ${name} `)
    expect(checkLock({ packages: { ...rest, [place]: {} } })).not.toEqual([])
  })

  test('an engine of another version than the package wants is as good as missing', () => {
    const place = 'node_modules/@chdb/lib-darwin-arm64'
    const old = { ...packages, [place]: { version: '0.9.0' } }
    expect(checkLock({ packages: old })).toHaveLength(1)
  })

  test('an engine that is no longer asked for is missed, too', () => {
    const chdb = { ...entry, optionalDependencies: { '@chdb/lib-linux-x64': '1.0.0' } }
    const problems = checkLock({ packages: { ...packages, 'node_modules/chdb': chdb } })
    expect(problems.map((text) => text.split(' is missing')[0])).toEqual(
      machines.slice(1).map((machine) => `package-lock.json: chdb for ${machine}`),
    )
  })
})

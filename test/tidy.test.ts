import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { checkLock, type LockFile } from './support/lock-file.ts'
import type { SourceFile } from './support/source-text.ts'
import { checkCircles, checkImports } from './support/tidy-rooms.ts'
import { checkBans, checkNames, checkTitles, checkWords } from './support/tidy-rules.ts'
import { checkDocstrings, checkSizes } from './support/tidy-shapes.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const FOLDERS = ['src', 'bin', 'test', 'bench', 'scripts', 'docs', 'rules', 'deploy', '.ci']
const CODE = /\.(?:ts|mjs|cjs)$/
const PROSE = /\.(?:ts|mjs|cjs|md|sh|ya?ml|conf|service)$|^\.ci\//

function read(): SourceFile[] {
  const top = readdirSync(ROOT, { withFileTypes: true })
  const paths = top.filter((entry) => entry.isFile()).map((entry) => entry.name)
  for (const folder of top.filter(({ name }) => FOLDERS.includes(name))) {
    for (const name of readdirSync(join(ROOT, folder.name), { recursive: true }) as string[]) {
      paths.push(`${folder.name}/${name.replaceAll('\\', '/')}`)
    }
  }
  return paths
    .filter(
      (path) => PROSE.test(path) && !path.includes('/testdata/') && !path.startsWith('bench/out/'),
    )
    .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }))
}

function readLock(): LockFile {
  return JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as LockFile
}

const files = read()
const code = files.filter(({ path }) => CODE.test(path))

test('the tree is there to be checked', () => {
  expect(code.length).toBeGreaterThan(150)
})

test.each<[string, () => string[]]>([
  ['every import goes where its room may', () => code.flatMap(checkImports)],
  ['files never import each other in a circle', () => checkCircles(code)],
  ['files, functions and lines can be taken in at a glance', () => code.flatMap(checkSizes)],
  ['nothing banned is used', () => code.flatMap(checkBans)],
  ['every name says what is inside', () => files.flatMap(({ path }) => checkNames(path))],
  ['every export says what it does', () => code.flatMap(checkDocstrings)],
  ['no two tests of one group share a title', () => code.flatMap(checkTitles)],
  ['words are those of the glossary', () => files.flatMap(checkWords)],
  ['every platform can be installed from the lock file', () => checkLock(readLock())],
])('%s', (_title, check) => {
  const problems = check()
  expect(problems.length, `\n${problems.join('\n')}\n`).toBe(0)
})

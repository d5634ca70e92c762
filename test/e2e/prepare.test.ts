import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

const SCRIPT = fileURLToPath(new URL('../../scripts/prepare.mjs', import.meta.url))

interface Package {
  readonly version: string
  readonly dev?: true
  readonly optional?: true
}
type Packages = Readonly<Record<string, Package>>

const WANTED: Packages = {
  'node_modules/zod': { version: '4.0.0' },
  'node_modules/vitest': { version: '4.0.0', dev: true },
  'node_modules/chdb': { version: '3.0.0', optional: true },
}

// A stand-in for npm: says what it was called with, and fails where the test wants it to.
const NPM = `
const { appendFileSync } = require('node:fs')
const verb = process.argv[2]
appendFileSync('npm.log', verb + ' ')
process.exit(verb === process.env.FAILING_VERB ? 1 : 0)
`
const TSC = `require('node:fs').appendFileSync('npm.log', 'tsc ')
require('node:fs').mkdirSync('dist')
`

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'weir-prepare-'))
  for (const folder of ['scripts', 'src', 'node_modules/typescript/bin']) {
    mkdirSync(join(root, folder), { recursive: true })
  }
  cpSync(SCRIPT, join(root, 'scripts/prepare.mjs'))
  write('npm-cli.js', NPM)
  write('node_modules/typescript/bin/tsc', TSC)
  write('package.json', '{}')
  write('tsconfig.json', '{}')
  write('src/main.ts', '')
  lock('package-lock.json', WANTED)
})
afterEach(() => rmSync(root, { recursive: true }))

function write(path: string, text: string): void {
  writeFileSync(join(root, path), text)
}

function lock(path: string, packages: Packages): void {
  write(path, JSON.stringify({ packages: { '': {}, ...packages } }))
}

/** Runs the script and tells, in order, which programs it called. */
function prepare(options: { args?: string[]; installed?: Packages; failing?: string } = {}): {
  called: string
  status: number | null
  errors: string
} {
  if (options.installed !== undefined) lock('node_modules/.package-lock.json', options.installed)
  write('npm.log', '')
  const { status, stderr } = spawnSync(
    process.execPath,
    [join(root, 'scripts/prepare.mjs'), ...(options.args ?? [])],
    {
      cwd: root,
      encoding: 'utf8',
      env: { npm_execpath: join(root, 'npm-cli.js'), FAILING_VERB: options.failing ?? '' },
    },
  )
  return { called: readFileSync(join(root, 'npm.log'), 'utf8').trim(), status, errors: stderr }
}

test('a fresh clone is installed and built, and then left alone', () => {
  expect(prepare().called).toBe('ci tsc')
  expect(prepare({ installed: WANTED }).called).toBe('')
})

test('packages are told apart by version, not by the time of their files', () => {
  const installed = { ...WANTED, 'node_modules/zod': { version: '3.9.9' } }
  expect(prepare({ installed }).called).toBe('ci tsc')
})

test('the embedded engine may be left out on purpose, but not be an old one', () => {
  const { 'node_modules/chdb': engine, ...others } = WANTED
  expect(prepare({ installed: others }).called).toBe('tsc')
  const old = { ...others, 'node_modules/chdb': { ...engine, version: '2.0.0' } }
  expect(prepare({ installed: old }).called).toBe('ci')
})

test('development packages are asked for only where they are needed', () => {
  const { 'node_modules/vitest': _, ...others } = WANTED
  prepare({ installed: WANTED })
  expect(prepare({ installed: others }).called).toBe('')
  expect(prepare({ installed: others, args: ['--dev'] }).called).toBe('ci')
})

test('a changed or removed source is built again', () => {
  prepare({ installed: WANTED })
  write('src/added.ts', '')
  expect(prepare().called).toBe('tsc')
  rmSync(join(root, 'src/added.ts'))
  expect(prepare().called).toBe('tsc')
  expect(prepare().called).toBe('')
})

test('where npm finds the lock file incomplete, its versions are installed all the same', () => {
  expect(prepare({ failing: 'ci' }).called).toBe('ci install tsc')
})

test('without a registry the reader is told what to check', () => {
  rmSync(join(root, 'package-lock.json'))
  const { called, status, errors } = prepare({ failing: 'install' })
  expect(called).toBe('install')
  expect(status).toBe(1)
  expect(errors).toContain('npm ping')
})

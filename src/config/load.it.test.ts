import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { parse, stringify } from 'yaml'
import { AppError } from '../core/errors.ts'
import { findConfigFile, loadConfig, redactUrl, toConfigFile, type LoadOptions } from './load.ts'
import { configReference } from './reference.ts'

const directory = mkdtempSync(join(tmpdir(), 'weir-config-'))
afterAll(() => rmSync(directory, { recursive: true }))

function load(yaml: string, options: LoadOptions = {}) {
  const path = join(directory, 'weir.yaml')
  writeFileSync(path, yaml)
  return loadConfig({ path, environment: {}, ...options })
}

function complaint(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    if (error instanceof AppError && error.code === 'config_invalid') return error.message
    throw error
  }
  throw new Error('was accepted')
}

test('an empty file gives a complete, frozen configuration', () => {
  const config = load('')
  expect(config.server.port).toBe(8080)
  expect(config.usageStore.location).toBe('./data/usage')
  expect(config.controlStore.location).toBe('./data/control.db')
  expect(config.ingest.journal.directory).toBe('./data/journal')
  expect(config.secrets.masterKeyFile).toBe('./data/master-key')
  expect(config.ingest.late).toBe(35 * 86_400_000)
  expect(Object.isFrozen(config.ingest.journal)).toBe(true)
})

test('flags win over the environment, the environment over the file, the file over defaults', () => {
  const yaml = 'server: { port: 1, host: a, stopTimeout: 1s, waitMax: 3s }'
  const environment = { WEIR_SERVER__PORT: '2', WEIR_SERVER__HOST: 'b' }
  const config = load(yaml, { environment, flags: { server: { port: 3 } } })
  expect(config.server).toMatchObject({ port: 3, host: 'b', stopTimeout: 1000, waitMax: 3000 })
})

test('a variable reaches nested keys, lists and sizes', () => {
  const environment = {
    WEIR_INGEST__JOURNAL__BYTES_MAX: '2GiB',
    WEIR_ROLES: '[api, worker]',
    WEIR_DATA__DIRECTORY: '123',
    PATH: '/bin',
  }
  const config = load('', { environment })
  expect(config.ingest.journal.bytesMax).toBe(2 ** 31)
  expect(config.roles).toEqual(['api', 'worker'])
  expect(config.data.directory).toBe('123')
})

test('all mistakes are reported at once, each with its path', () => {
  const yaml = `
server: { port: 80800, hots: x }
ingest: { late: 5 minutes, batch: { linesMax: 0 } }
sources: [{ type: access-log, name: edge }]
unknown: 1
`
  const text = complaint(() => load(yaml, { environment: { WEIR_SERVER__PROT: '1' } }))
  for (const part of [
    'server.port',
    '"hots"',
    'ingest.late',
    '"5 minutes" is no duration',
    'ingest.batch.linesMax',
    'sources[0].paths',
    '"unknown"',
    'WEIR_SERVER__PROT',
  ]) {
    expect(text).toContain(part)
  }
})

test('two sources cannot share a name, and with it their read positions', () => {
  const source = '{ type: access-log, name: edge, paths: [/x] }'
  expect(complaint(() => load(`sources: [${source}, ${source}]`))).toContain('sources[1].name')
})

test.each([
  ['a: [', 'is no YAML'],
  ['- 1', 'not a list'],
  ['text', 'not a bare value'],
])('%j is refused with its reason', (yaml, reason) => {
  expect(complaint(() => load(yaml))).toContain(reason)
})

test('a named file that is missing is an error, an absent weir.yaml is not', () => {
  const missing = join(directory, 'missing.yaml')
  expect(complaint(() => loadConfig({ path: missing, environment: {} }))).toContain(missing)
  expect(complaint(() => loadConfig({ environment: { WEIR_CONFIG: missing } }))).toContain(missing)
})

test('what is dumped loads to the same configuration', () => {
  const config = load(`
ingest: { late: 36h, journal: { bytesMax: 5GB } }
sources: [{ type: access-log, name: edge, paths: [/var/log/x], pollInterval: 250ms }]
`)
  const dumped = stringify(toConfigFile(config))
  expect(parse(dumped)).toMatchObject({ ingest: { late: '36h', journal: { bytesMax: '5GB' } } })
  expect(load(dumped)).toEqual(config)
})

test('a dump never shows the password of a store', () => {
  const config = load(`
usageStore: { location: 'http://weir:hunter2@host:8123/db' }
controlStore: { location: 'postgres://weir:hunter2@host/db?password=hunter2&x=1' }
`)
  const dumped = stringify(toConfigFile(config))
  expect(dumped).not.toContain('hunter2')
  expect(dumped).toContain('http://weir:redacted@host:8123/db')
  expect(redactUrl('./data/usage')).toBe('./data/usage')
})

// Run with -u after a change of the schema.
test('docs/reference/config.md says what the schema says', async () => {
  await expect(configReference()).toMatchFileSnapshot('../../docs/reference/config.md')
})

test('a key that is nearly another one names it', () => {
  const text = complaint(() => load('sever: {}\nserver: { hots: x, nothing: 1 }'))
  expect(text).toContain('"sever"; meant is "server"?')
  expect(text).toContain('meant is "host"?')
  const list = complaint(() => load('sources: [{ type: access-log, name: a, path: [/x] }]'))
  expect(list).toContain('meant is "paths"?')
})

test.each([
  ['nosuch.yaml', 'does not exist; name it with --config or WEIR_CONFIG.'],
  ['.', 'is a directory; name it with'],
  ['weir.yaml/x', 'does not exist'],
])('a configuration file %s that cannot be read says why', (name, reason) => {
  load('')
  const path = join(directory, name)
  expect(complaint(() => loadConfig({ path, environment: {} }))).toContain(reason)
  expect(findConfigFile({ path, environment: {} })).toBe(path)
  expect(findConfigFile({ path: undefined, environment: { WEIR_CONFIG: path } })).toBe(path)
})

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { AppError } from '../core/errors.ts'
import type { CliContext } from './context.ts'
import { doctorCommand, type Machine } from './doctor.ts'

const directory = mkdtempSync(join(tmpdir(), 'weir-doctor-test-'))
afterAll(() => rmSync(directory, { recursive: true }))

const MACHINE: Machine = {
  nodeVersion: '20.19.0',
  probes: {
    usageStore: async () => '26.7',
    controlStore: async () => 'SQLite 3',
    addresses: () => 'ip2region-1',
  },
}

async function examine(
  options: { machine?: Partial<Machine>; config?: string; nowMs?: number; data?: string } = {},
) {
  let text = ''
  let exitCode = 0
  const context: CliContext = {
    environment: { WEIR_SERVER__PORT: '0' },
    isTerminal: false,
    write: (part) => {
      text += part
    },
    clock: { nowMs: () => options.nowMs ?? Date.UTC(2026, 11, 1) },
    exitWith: (code) => {
      exitCode = code
    },
  }
  const path = join(directory, 'weir.yaml')
  writeFileSync(path, options.config ?? '')
  const data = join(directory, options.data ?? 'data')
  await doctorCommand(context, { ...MACHINE, ...options.machine }).parseAsync(
    ['--config', path, '--data', data],
    { from: 'user' },
  )
  return { text, exitCode }
}

test('a sound machine gets a clean bill and is left as it was', async () => {
  const { text, exitCode } = await examine()
  expect(text).not.toContain('✗')
  expect(text).toContain('All is well.')
  expect(exitCode).toBe(0)
  expect(readdirSync(directory)).toEqual(['weir.yaml'])
})

const BROKEN_STORE = {
  ...MACHINE.probes,
  usageStore: () => Promise.reject(new AppError('config_invalid', 'chdb is not installed.')),
}

const CASES: readonly (readonly [string, Parameters<typeof examine>[0], string])[] = [
  ['an old Node', { machine: { nodeVersion: '18.20.1' } }, '✗ Node.js: 18.20.1 is too old'],
  ['a wrong clock', { nowMs: 0 }, '✗ clock: 1970-01-01T00:00:00.000Z is before'],
  ['a bad configuration', { config: 'sever: {}' }, '✗ configuration: The configuration'],
  [
    'a log format that cannot be read',
    { config: 'sources: [{ type: access-log, name: a, paths: [/x], format: "$host" }]' },
    'sources[0] (a)',
  ],
  ['a store that does not open', { machine: { probes: BROKEN_STORE } }, 'chdb is not installed.'],
]

test.each(CASES)('%s is reported, and everything else is still checked', async (...given) => {
  const [, options, expected] = given
  const { text, exitCode } = await examine(options)
  expect(text).toContain(expected)
  expect(text).toContain('1 to put right.')
  expect(text.match(/^[✓✗]/gm)).toHaveLength(10)
  expect(exitCode).toBe(1)
})

test('an address that cannot be had is reported', async () => {
  const { text } = await examine({ config: 'server: { host: 203.0.113.1 }' })
  expect(text).toContain('✗ port: 203.0.113.1:0 cannot be had (EADDRNOTAVAIL)')
})

test.each([
  ['weir.yaml', 'EEXIST); something else has that name: move it away'],
  ['weir.yaml/data', 'ENOTDIR); something on the way is no directory: move it away'],
])('a data directory %s says what is in its way, and is no broken port', async (data, reason) => {
  const { text, exitCode } = await examine({ data })
  expect(text).toContain(`✗ data directory: ${join(directory, data)} cannot be written (${reason}`)
  expect(text).toMatch(/✓ port: .* is free/)
  expect(exitCode).toBe(1)
})

test('the file that was read is named', async () => {
  const { text } = await examine()
  expect(text).toContain(`✓ configuration: ${join(directory, 'weir.yaml')}, valid, 0 log sources`)
})

test('passwords of stores are not shown', async () => {
  const config = 'controlStore: { location: "postgres://weir:hunter2@db/weir" }'
  const { text } = await examine({ config })
  expect(text).toContain('postgres://weir:redacted@db/weir')
  expect(text).not.toContain('hunter2')
})

import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseManifest } from '../catalog/manifest.ts'
import { exampleCommand } from './example.ts'

let directory: string

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'weir-example-'))
})

afterAll(() => rm(directory, { recursive: true, force: true }))

const CLOCK = { nowMs: () => Date.UTC(2026, 10, 21, 7, 34, 5) }

async function example(...rest: readonly string[]): Promise<string> {
  let printed = ''
  const context = {
    environment: {},
    isTerminal: false,
    write: (text: string) => {
      printed += text
    },
    clock: CLOCK,
    exitWith: () => undefined,
  }
  const command = exampleCommand(context)
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
  await command.parseAsync(rest, { from: 'user' })
  return printed
}

async function hashesOf(path: string): Promise<Record<string, string>> {
  const names = await readdir(path)
  const hashes = names.sort().map(async (name) => {
    const hash = createHash('sha256').update(await readFile(join(path, name)))
    return [name, hash.digest('hex')] as const
  })
  return Object.fromEntries(await Promise.all(hashes))
}

test('the same seed and end write the same files, whenever it is', async () => {
  const end = '2026-11-21T15:32:00+08:00'
  await example('--out', join(directory, 'a'), '--lines', '1000', '--end', end)
  await example('--out', join(directory, 'b'), '--lines', '1000')
  await example('--out', join(directory, 'c'), '--lines', '1000', '--end', end, '--seed', '2')
  const hashes = await hashesOf(join(directory, 'a'))
  expect(Object.keys(hashes)).toEqual(['access.log', 'catalog.yaml', 'eip.ndjson', 'mna.ndjson'])
  expect(await hashesOf(join(directory, 'b'))).toEqual(hashes)
  const other = await hashesOf(join(directory, 'c'))
  expect(other['access.log']).not.toBe(hashes['access.log'])
  expect(other['catalog.yaml']).toBe(hashes['catalog.yaml'])
})

test('what it prints counts the lines and says how to take them in', async () => {
  const out = join(directory, 'd')
  const printed = await example('--out', out, '--lines', '1000', '--days', '1')
  expect(printed).toContain('access.log  1,000 lines')
  expect(printed).toContain('eip.ndjson  1,728 lines')
  expect(printed).toContain('Usage from 2026-11-20T07:30:00Z to 2026-11-21T07:30:00Z')
  expect(printed).toContain(`weir apply ${join(out, 'catalog.yaml')}`)
})

test('the catalog file is one that weir apply reads', async () => {
  const out = join(directory, 'e')
  await example('--out', out, '--lines', '1')
  const text = await readFile(join(out, 'catalog.yaml'), 'utf8')
  expect(parseManifest(text, 'catalog.yaml').resources).toHaveLength(9)
})

test.each([
  [['--days', '0'], /whole number from 1 to 34/],
  [['--lines', '1e9'], /whole number from 1 to 100000000/],
  [['--end', '2026-11-21'], /with its offset/],
])('%j is refused with what it should be', async (rest, message) => {
  await expect(example('--out', join(directory, 'f'), ...rest)).rejects.toThrow(message)
})

test('a directory that cannot be made is named', async () => {
  await writeFile(join(directory, 'file'), '')
  await expect(example('--out', join(directory, 'file'))).rejects.toThrow(/file cannot be written/)
})

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  findPostgres,
  startPostgres,
  type ThrowAwayPostgres,
} from '../../../test/support/postgres.ts'
import { skipOrFail } from '../../../test/support/programs.ts'
import { frameMeta, NOW, NOW_MS } from '../../../test/support/pipeline.ts'
import { createIngestRegistry } from './ingest-registry.ts'
import { openControlStore } from './control-store.ts'
import { createMasterKeys } from './master-key.ts'

const folder = mkdtempSync(join(tmpdir(), 'weir-registry-'))
const programs = await findPostgres()
let postgres: ThrowAwayPostgres | undefined

beforeAll(async () => {
  if (programs !== null) postgres = await startPostgres(programs)
})
afterAll(async () => {
  await postgres?.stop()
  rmSync(folder, { recursive: true })
})

test('PostgreSQL is there to remember log files', (context) => {
  expect(programs ?? skipOrFail(context, 'PostgreSQL is not installed')).toMatch(/bin$/)
})

const FILE = { fileId: 'f1', headHash: 'head', path: '/var/log/a' }

function batchOf(seq: number, offset: number, length: number) {
  const file = { ...FILE, offset, length, sha256: `whole ${offset}` }
  const body = { path: '', offset: 0, length }
  const frame = { ...frameMeta({ meter: 'cdn', file, receivedMs: NOW_MS }, 5), seq, body }
  return { id: seq, attempt: 1, meter: 'cdn', reading: frame.reading, frames: [frame] } as const
}

describe.each([
  ['SQLite', async () => join(folder, 'control.db'), true],
  ['PostgreSQL', async () => (await postgres?.createDatabase()) ?? '', programs !== null],
])('log files on %s', (_, locate, isThere) => {
  test.skipIf(!isThere)('a chunk that is split stays known, and its parts are, too', async () => {
    const masterKeys = createMasterKeys([Buffer.alloc(32, 7).toString('base64')])
    const store = await openControlStore(await locate(), { clock: NOW, masterKeys })
    const registry = createIngestRegistry(store.db, NOW)
    const outcome = { lines: 5, accepted: 5, duplicate: 0, rejected: {}, accounts: [], bytes: 1n }
    await registry.checkpoint(batchOf(1, 0, 100), [{ ...outcome, seq: 1 }])
    await registry.checkpoint(batchOf(2, 100, 50), [{ ...outcome, seq: 2 }])
    const parts = [
      { offset: 100, length: 30, lines: 3, sha256: 'first' },
      { offset: 130, length: 20, lines: 2, sha256: 'second' },
    ] as const
    const split = { headHash: 'head', splitId: 'f1/130', path: '/var/log/a.1', parts }
    await registry.splitChunk(split)
    await registry.splitChunk({ ...split, path: '/var/log/a.2' })
    expect(await registry.files('head')).toEqual([
      {
        fileId: 'f1',
        chunks: [
          { offset: 0, length: 100, lines: 5, sha256: 'whole 0' },
          { offset: 100, length: 50, lines: 5, sha256: 'whole 100' },
        ],
      },
      { fileId: 'f1/130', chunks: parts },
    ])
    expect(await registry.fileEnd('f1')).toBe(150)
    expect(await registry.totals()).toMatchObject([{ lines: 10, accepted: 10 }])
    await store.close()
  })
})

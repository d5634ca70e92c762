import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Engine } from './engine.ts'
import { openEngine } from './open.ts'

const GOLDENS = fileURLToPath(new URL('testdata/ddl', import.meta.url))

let directory: string
let engine: Engine

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'weir-ddl-'))
  engine = await openEngine({
    location: join(directory, 'usage'),
    cluster: null,
    queryConnections: 1,
    requestTimeoutMs: 30_000,
  })
})

afterAll(async () => {
  await engine.close()
  await rm(directory, { recursive: true, force: true })
})

test.each(['embedded', 'single', 'cluster'])(
  'the engine reads every %s statement, and none loses anything',
  async (kind) => {
    const names = await readdir(join(GOLDENS, kind))
    expect(names.length).toBeGreaterThan(8)
    for (const name of names) {
      const text = await readFile(join(GOLDENS, kind, name), 'utf8')
      const statements = text.split(';\n').filter((statement) => statement.trim() !== '')
      expect(statements).toHaveLength(kind === 'cluster' ? 2 : 1)
      for (const sql of statements) {
        const [row] = await engine.rows<{ read: string }>(
          'SELECT formatQuery({sql:String}) AS read',
          { sql },
        )
        expect(words(row?.read ?? '')).toEqual(words(sql))
      }
    }
  },
)

/** What a statement says, without layout and optional quotes. */
function words(sql: string): string[] {
  return sql
    .replaceAll('`', '')
    .split(/[\s(),]+/)
    .filter((word) => word !== '')
}

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startClickHouse, type ClickHouseFront } from '../../../test/support/clickhouse.ts'
import { openEngine } from './open.ts'
import { usageStoreSuite } from './usage-store.suite.ts'

const SETTINGS = { cluster: null, queryConnections: 2, requestTimeoutMs: 30_000 }

usageStoreSuite('a ClickHouse URL', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'weir-usage-'))
  const front = await startClickHouse(join(directory, 'usage'))
  const engine = await openEngine({ location: front.url, ...SETTINGS })
  return {
    engine,
    directory,
    async close() {
      await engine.close()
      await front.stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
})

describe('a ClickHouse URL that misbehaves', () => {
  let front: ClickHouseFront
  let directory: string

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'weir-usage-'))
    front = await startClickHouse(join(directory, 'usage'))
  })

  afterAll(async () => {
    await front.stop()
    await rm(directory, { recursive: true, force: true })
  })

  test('a wrong password is an internal failure that names no secret', async () => {
    const url = front.url.replace(/:[^:@]+@/, ':wrong@')
    const engine = await openEngine({ location: url, ...SETTINGS })
    await expect(engine.rows('SELECT 1')).rejects.toMatchObject({
      code: 'internal',
      message: 'The usage store failed.',
    })
    await engine.close()
  })

  test('a dropped connection, a full memory and a read-only table say: later', async () => {
    const engine = await openEngine({ location: front.url, ...SETTINGS })
    await front.faults({
      drop: 1,
      fail: [
        'Code: 241. DB::Exception: Memory limit exceeded. (MEMORY_LIMIT_EXCEEDED)',
        'Code: 242. DB::Exception: Table is in readonly mode. (TABLE_IS_READ_ONLY)',
        'Code: 159. DB::Exception: Timeout exceeded. (TIMEOUT_EXCEEDED)',
      ],
    })
    await expect(engine.rows('SELECT 1')).rejects.toMatchObject({ code: 'overloaded' })
    await expect(engine.rows('SELECT 1')).rejects.toMatchObject({ code: 'overloaded' })
    await expect(engine.command('SELECT 1')).rejects.toMatchObject({ code: 'overloaded' })
    await expect(engine.rows('SELECT 1')).rejects.toMatchObject({ code: 'timeout' })
    expect(await engine.rows('SELECT 1 AS n')).toEqual([{ n: 1 }])
    await engine.close()
  })
})

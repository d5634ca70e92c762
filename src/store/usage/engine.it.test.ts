import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Engine } from './engine.ts'
import { openEngine } from './open.ts'

let directory: string
let engine: Engine

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'weir-engine-'))
  engine = await openEngine({
    location: join(directory, 'usage'),
    cluster: null,
    queryConnections: 2,
    requestTimeoutMs: 10_000,
  })
})

afterAll(async () => {
  await engine.close()
  await rm(directory, { recursive: true })
})

describe('the embedded engine', () => {
  it.each([
    ["' OR 1 = 1 --"],
    ["\\' OR 1 = 1 --"],
    ['\\'],
    ['line\nfeed\tand\rreturn'],
    ['NUL \0 and 中文 😀'],
    ['{x:String} $& `'],
    [''],
  ])('takes the text %j as it is', async (x) => {
    const rows = await engine.rows('SELECT {x:String} AS x, {list:Array(String)} AS list', {
      x,
      list: [x, 'other'],
    })
    expect(rows).toEqual([{ x, list: [x, 'other'] }])
  })

  it('takes 64-bit integers and times exactly', async () => {
    const rows = await engine.rows(
      'SELECT {n:UInt64} AS n, toUnixTimestamp({at:DateTime}) AS at, {list:Array(UInt64)} AS list',
      { n: 2n ** 64n - 1n, at: 1_800_000_000, list: [] },
    )
    expect(rows).toEqual([{ n: '18446744073709551615', at: 1_800_000_000, list: [] }])
  })

  it('answers a small question while a large one runs', async () => {
    const answered: string[] = []
    const ask = async (name: string, sql: string): Promise<void> => {
      await engine.rows(sql, { name })
      answered.push(name)
    }
    await Promise.all([
      ask('large', 'SELECT {name:String}, sleepEachRow(1) FROM numbers(2)'),
      ask('small', 'SELECT {name:String}'),
    ])
    expect(answered).toEqual(['small', 'large'])
  })
})

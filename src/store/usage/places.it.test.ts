import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BILLING_REGIONS, ISPS, PROVINCES } from '../../meters/places.ts'
import type { Engine } from './engine.ts'
import { openEngine } from './open.ts'
import { arrayOf, placeCode, placeNames } from './places.ts'

let directory: string
let engine: Engine

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'weir-places-'))
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

test('every place packs into a code of its own and comes out of it again, with its area', async () => {
  const names = placeNames('p.code')
  const [found] = await engine.rows<{ codes: string; wrong: string[] }>(
    `SELECT uniqExact(p.code) AS codes,
  groupArrayIf(p.text, p.text != concat(${names.billing_region}, ' ', ${names.province}, ' ', ${names.isp})
    OR (${names.area} = 'cn') != startsWith(p.text, 'cn ') OR ${names.area} NOT IN ('cn', 'abroad')) AS wrong
FROM (
  SELECT ${placeCode('n.region', 'n.province', 'n.isp')} AS code, concat(region, ' ', province, ' ', isp) AS text
  FROM (
    SELECT arrayJoin(${arrayOf(BILLING_REGIONS)}) AS region,
      arrayJoin(${arrayOf(PROVINCES)}) AS province, arrayJoin(${arrayOf(ISPS)}) AS isp
  ) AS n
) AS p`,
  )
  const count = BILLING_REGIONS.length * PROVINCES.length * ISPS.length
  expect(found).toEqual({ codes: String(count), wrong: [] })
})

test('there is room in 16 bits for what may be appended', () => {
  expect(BILLING_REGIONS.length).toBeLessThanOrEqual(16)
  expect(ISPS.length).toBeLessThanOrEqual(8)
  expect(PROVINCES.length).toBeLessThanOrEqual(512)
})

test('what is unknown is others, in cn: the code that addresses without a place have', async () => {
  const code = placeCode("materialize('mars')", "materialize('')", "materialize('x')")
  expect(await engine.rows(`SELECT ${code} AS code`)).toEqual([{ code: 1 }])
})

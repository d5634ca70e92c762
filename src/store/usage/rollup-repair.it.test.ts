import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  MOVED_END,
  MOVED_METERS,
  MOVED_START,
  MOVED_ZONE,
  type MovedWorld,
  openMovedWorld,
} from '../../../test/support/moved-usage.ts'
import type { BooksUsage } from '../../billing/books-usage.ts'
import { type Interval, localDays } from '../../core/period.ts'
import { METERS, type Rollup } from '../../meters/meter.ts'
import { auditUsage } from './audit.ts'
import { createBooksReader } from './books-reader.ts'

let world: MovedWorld
let reader: BooksUsage

beforeAll(async () => {
  world = await openMovedWorld(13)
  reader = createBooksReader(world.engine)
})

afterAll(() => world.close())

// The middle one of the three has 25 hours.
const [BEFORE, DAY, AFTER] = localDays({ startMs: MOVED_START, endMs: MOVED_END }, MOVED_ZONE) as [
  Interval,
  Interval,
  Interval,
]

const within = ({ startMs, endMs }: Interval): string =>
  `bucket >= toDateTime(${startMs / 1000}, 'UTC') AND bucket < toDateTime(${endMs / 1000}, 'UTC')`

/** What a rollup says of each key, however its rows are split. */
async function contentOf(meter: (typeof MOVED_METERS)[number], rollup: Rollup): Promise<string> {
  const sums = METERS[meter].quantities.map(({ name }) => `sum(t.${name}) AS sum_${name}`)
  const keys = rollup.orderBy.map((name) => `t.${name}`)
  return await world.engine.text(
    `SELECT ${[...keys, ...sums].join(', ')} FROM ${rollup.table} AS t
GROUP BY ${keys.join(', ')} HAVING ${sums.map((sum) => sum.split(' ').at(-1)).join(' + ')} > 0
ORDER BY ALL FORMAT TSV`,
  )
}

/** Ways to spoil a rollup of a meter within a day. */
function damagesOf(meter: (typeof MOVED_METERS)[number], { table, orderBy }: Rollup) {
  const quantities = METERS[meter].quantities.map(({ name }) => name)
  // Quantities are compared alike in all rollups, keys are each rollup's own.
  const isFirst = METERS[meter].rollups[0]?.table === table
  const some = isFirst ? quantities : quantities.slice(-1)
  const day = within(DAY)
  const inDay = `FROM ${table} WHERE ${day} AND ${METERS[meter].bytes} > 0`
  const added = some.map((quantity): [string, string[]] => [
    `has 1 too many of ${quantity}`,
    [
      `INSERT INTO ${table} (${[...orderBy, quantity].join(', ')})
SELECT ${orderBy.join(', ')}, 1 ${inDay} LIMIT 1`,
    ],
  ])
  const texts = orderBy.filter((name) => name !== 'bucket')
  const moved = texts.map((name): [string, string[]] => [
    `has all its rows under another ${name}`,
    [
      `INSERT INTO ${table} SELECT * REPLACE ('other' AS ${name}) FROM ${table} WHERE ${day}`,
      `DELETE FROM ${table} WHERE ${day} AND ${name} != 'other'`,
    ],
  ])
  const isStart = `bucket = (SELECT min(bucket) ${inDay})`
  return [
    ...added,
    ...moved,
    ['lost its rows', [`DELETE FROM ${table} WHERE ${day}`]],
    [
      'has a bucket at another time',
      [
        `INSERT INTO ${table} SELECT * REPLACE (bucket + 3600 AS bucket) FROM ${table} WHERE ${isStart}`,
        `DELETE FROM ${table} WHERE ${isStart}`,
      ],
    ],
  ] satisfies [string, string[]][]
}

describe.each(
  MOVED_METERS.flatMap((meter) => METERS[meter].rollups.map((rollup) => ({ meter, rollup }))),
)('a day of $rollup.table', ({ meter, rollup }) => {
  test.each(damagesOf(meter, rollup))('that %s is found and rebuilt', async (_, statements) => {
    const whole = await contentOf(meter, rollup)
    for (const statement of statements) await world.engine.command(statement)
    expect(await contentOf(meter, rollup)).not.toBe(whole)
    expect(await reader.repair(meter, BEFORE)).toEqual([])
    expect(await reader.repair(meter, AFTER)).toEqual([])
    expect(await reader.repair(meter, DAY)).toEqual([rollup.table])
    expect(await contentOf(meter, rollup)).toBe(whole)
    expect(await reader.repair(meter, DAY)).toEqual([])
  })
})

test('a rollup that is merged or was rebuilt conserves what was loaded', async () => {
  for (const meter of MOVED_METERS) {
    expect(await reader.repair(meter, { startMs: MOVED_START, endMs: MOVED_END })).toEqual([])
  }
  expect((await auditUsage(world.engine, [])).findings).toEqual([])
})

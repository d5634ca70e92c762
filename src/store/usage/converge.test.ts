import { expect, test } from 'vitest'
import { planTable, type StoredTable } from './converge.ts'
import type { Topology } from './render.ts'
import type { Table } from './tables.ts'

const TABLE: Table = {
  name: 'sums',
  comment: 'Sums.',
  columns: [
    { name: 'account', type: 'LowCardinality(String)', comment: 'Who.' },
    { name: 'zone', type: 'LowCardinality(String)', comment: "Where it's from." },
    { name: 'at', type: "DateTime('UTC')", codec: 'Delta, ZSTD(1)', comment: 'When.' },
    { name: 'bytes', type: 'UInt64', comment: 'How much.' },
    { name: 'packets', type: 'UInt64', comment: 'How many.' },
  ],
  sums: ['bytes', 'packets'],
  partitionBy: 'toYYYYMM(at)',
  orderBy: ['account', 'at', 'zone'],
  indexes: [],
  shardBy: 'cityHash64(account)',
}

const TYPES = {
  account: 'LowCardinality(String)',
  at: "DateTime('UTC')",
  bytes: 'UInt64',
  packets: 'UInt64',
  zone: 'LowCardinality(String)',
}

function stored(names: readonly (keyof typeof TYPES)[], sortingKey: string): StoredTable {
  return { types: new Map(names.map((name) => [name, TYPES[name]])), sortingKey }
}

const OLD = stored(['account', 'at', 'bytes', 'packets'], 'account, at')
const NEW = stored(['account', 'at', 'bytes', 'packets', 'zone'], 'account, at, zone')
const CLUSTER: Topology = { kind: 'cluster', cluster: 'weir' }

test.each([{ kind: 'embedded' }, { kind: 'single' }] as const)(
  '$kind: a new sort key is added in the one statement in which the engine takes it',
  (topology) => {
    expect(planTable(TABLE, new Map([['sums', OLD]]), topology)).toEqual([
      `ALTER TABLE sums
  ADD COLUMN IF NOT EXISTS zone LowCardinality(String) COMMENT 'Where it\\'s from.',
  MODIFY ORDER BY (account, at, zone)`,
    ])
  },
)

test('on a cluster the replicated table comes first, the distributed one has no order', () => {
  const distributed = { ...OLD, sortingKey: '' }
  const tables = new Map([
    ['sums_local', OLD],
    ['sums', distributed],
  ])
  const plan = planTable(TABLE, tables, CLUSTER)
  expect(plan).toEqual([
    `ALTER TABLE sums_local ON CLUSTER weir
  ADD COLUMN IF NOT EXISTS zone LowCardinality(String) COMMENT 'Where it\\'s from.',
  MODIFY ORDER BY (account, at, zone)`,
    `ALTER TABLE sums ON CLUSTER weir
  ADD COLUMN IF NOT EXISTS zone LowCardinality(String) COMMENT 'Where it\\'s from.'`,
  ])
  // A process that stopped in between goes on with the second.
  const between = new Map([...tables, ['sums_local', NEW]])
  expect(planTable(TABLE, between, CLUSTER)).toEqual(plan.slice(1))
})

test('nothing is done to a table that is as declared, or newer', () => {
  expect(planTable(TABLE, new Map([['sums', NEW]]), { kind: 'single' })).toEqual([])
  const newer = { ...NEW, types: new Map([...NEW.types, ['later', 'String']]) }
  expect(planTable(TABLE, new Map([['sums', newer]]), { kind: 'single' })).toEqual([])
})

test('a column that is no sort key leaves the order alone; several are one statement', () => {
  const without = stored(['account', 'at', 'zone'], 'account, at, zone')
  expect(planTable(TABLE, new Map([['sums', without]]), { kind: 'embedded' })).toEqual([
    `ALTER TABLE sums
  ADD COLUMN IF NOT EXISTS bytes UInt64 COMMENT 'How much.',
  ADD COLUMN IF NOT EXISTS packets UInt64 COMMENT 'How many.'`,
  ])
})

test.each([
  ['is not there', undefined],
  [
    'has the column bytes as Int32, not as UInt64',
    { ...NEW, types: new Map([...NEW.types, ['bytes', 'Int32']]) },
  ],
  ['sorts by (at, account, zone)', { ...NEW, sortingKey: 'at, account, zone' }],
  ['sorts by (account, at, zone, later)', { ...NEW, sortingKey: 'account, at, zone, later' }],
  // The engine adds only new columns to a sort key.
  ['sorts by (account, at), not by', { ...NEW, sortingKey: 'account, at' }],
  ['sorts by (account, zone), not by', stored(['account', 'zone'], 'account, zone')],
])('a table that %s is refused', (problem, other) => {
  const tables = new Map(other === undefined ? [] : [['sums', other]])
  expect(() => planTable(TABLE, tables, { kind: 'single' })).toThrow(problem)
})

import { dimensionsOf, METERS, METER_NAMES, type Meter, type Rollup } from '../../meters/meter.ts'

/** One column of a table in the usage store. */
export interface Column {
  readonly name: string
  readonly type: string
  readonly codec?: string
  readonly comment: string
}

/** A secondary index over granules. */
export interface Index {
  readonly name: string
  readonly column: string
  readonly type: string
}

/** A table, declared once and rendered for every topology. */
export interface Table {
  readonly name: string
  readonly comment: string
  readonly columns: readonly Column[]
  /** Empty: rows are kept apart. Otherwise rows of equal key are summed over these columns. */
  readonly sums: readonly string[]
  readonly partitionBy: string
  readonly orderBy: readonly string[]
  readonly indexes: readonly Index[]
  /** Expression that spreads rows over shards; rows that must be summed together share it. */
  readonly shardBy: string
}

// Times and batch numbers grow slowly within a part: the difference to the neighbour is tiny.
const DELTA = 'Delta, ZSTD(1)'

function usageTable(meter: Meter): Table {
  return {
    name: `usage_${meter.name}`,
    comment: `${meter.doc} The truth: one row per record, or per minute of one batch.`,
    columns: [
      { name: 'batch', type: 'UInt64', codec: DELTA, comment: 'Loaded with this batch.' },
      { name: 'frame', type: 'UInt64', codec: DELTA, comment: 'Journal frame it arrived in.' },
      { name: 'source', type: 'LowCardinality(String)', comment: 'Who reported it.' },
      // Two independent 64-bit hashes of (source, id): searching reads the first, a hit is proved
      // by both.
      { name: 'rid', type: 'UInt64', codec: 'NONE', comment: 'Hash of the record id, 0 without.' },
      {
        name: 'rid_check',
        type: 'UInt64',
        codec: 'NONE',
        comment: 'Second hash of the record id.',
      },
      { name: 'minute', type: "DateTime('UTC')", codec: DELTA, comment: 'Start of its minute.' },
      ...dimensionsOf(meter).map(({ name, type, doc }) => ({ name, type, comment: doc })),
      ...meter.quantities.map(({ name, doc }) => ({ name, type: 'UInt64', comment: doc })),
      {
        name: 'geo_version',
        type: 'LowCardinality(String)',
        comment: 'Address database that attributed it; empty where none was asked.',
      },
    ],
    sums: [],
    // A day at a time is compared with the rollups, closed, exported and finally dropped.
    partitionBy: 'toYYYYMMDD(minute)',
    orderBy: ['resource', 'minute'],
    indexes: [{ name: 'batch_range', column: 'batch', type: 'minmax' }],
    shardBy: 'cityHash64(resource)',
  }
}

function rollupTable(meter: Meter, rollup: Rollup): Table {
  const types = new Map(dimensionsOf(meter).map((dimension) => [dimension.name, dimension]))
  const columns = rollup.orderBy.map((name): Column => {
    const dimension = types.get(name)
    return dimension === undefined
      ? {
          name,
          type: "DateTime('UTC')",
          codec: DELTA,
          comment: `Start of its ${rollup.bucketSeconds} seconds.`,
        }
      : { name, type: dimension.type, comment: dimension.doc }
  })
  return {
    name: rollup.table,
    comment: `${meter.doc} Sums per ${rollup.bucketSeconds} s; can be rebuilt from usage_${meter.name}.`,
    columns: [
      ...columns,
      ...meter.quantities.map(({ name, doc }) => ({ name, type: 'UInt64', comment: doc })),
    ],
    sums: meter.quantities.map(({ name }) => name),
    partitionBy: 'toYYYYMM(bucket)',
    orderBy: rollup.orderBy,
    indexes: [],
    shardBy: `cityHash64(${rollup.orderBy[0]})`,
  }
}

const REJECTED: Table = {
  name: 'rejected',
  comment: 'What could not be used, with its reason and its text, until it is replayed.',
  columns: [
    { name: 'batch', type: 'UInt64', codec: DELTA, comment: 'Batch that rejected it.' },
    { name: 'frame', type: 'UInt64', codec: DELTA, comment: 'Journal frame it arrived in.' },
    { name: 'line', type: 'UInt64', codec: DELTA, comment: 'Line within the frame, from 1.' },
    { name: 'received', type: "DateTime('UTC')", codec: DELTA, comment: 'When it arrived.' },
    { name: 'source', type: 'LowCardinality(String)', comment: 'Who reported it.' },
    { name: 'meter', type: 'LowCardinality(String)', comment: 'Meter it was meant for.' },
    { name: 'format', type: 'LowCardinality(String)', comment: 'How it was read (JSON).' },
    { name: 'reason', type: 'LowCardinality(String)', comment: 'Why it was rejected.' },
    { name: 'detail', type: 'String', comment: 'Domain, resource or value at fault.' },
    { name: 'raw', type: 'String', codec: 'ZSTD(1)', comment: 'Its text, as received.' },
  ],
  sums: [],
  partitionBy: 'toYYYYMM(received)',
  orderBy: ['source', 'reason', 'batch', 'line'],
  indexes: [{ name: 'batch_range', column: 'batch', type: 'minmax' }],
  shardBy: 'cityHash64(source)',
}

/** Every table that holds measured data. */
export const TABLES: readonly Table[] = [
  ...METER_NAMES.flatMap((name) => {
    const meter = METERS[name]
    return [usageTable(meter), ...meter.rollups.map((rollup) => rollupTable(meter, rollup))]
  }),
  REJECTED,
]

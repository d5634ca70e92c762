import type { Batch } from '../../ingest/batch.ts'
import type { Meter, Rollup } from '../../meters/meter.ts'
import { dimensionValue } from './dimension.ts'
import { ONE_BLOCK, stageColumn } from './load.ts'
import { withoutProvince } from './places.ts'

// Grouped rows have no key twice: summing them once more while they are written costs as much as
// grouping did.
const ALREADY_SUMMED = 'optimize_on_insert = 0'

/** Renders the statement that adds a batch's usage to one rollup, once however often it runs. */
export function renderRoll(meter: Meter, rollup: Rollup, batch: Pick<Batch, 'id'>): string {
  return `${renderSums(meter, rollup, `u.batch = ${batch.id}`)}
SETTINGS ${onceFor(batch)}`
}

/**
 * Renders what adds the same rows as `renderRoll`, from a log that is still staged: there, owners
 * and places are numbers, which are grouped in half the time that names take.
 */
export function renderRollStaged(
  meter: Meter,
  rollup: Rollup,
  batch: Pick<Batch, 'id'>,
  stage: string,
): string {
  const quantities = meter.quantities.map(({ name }) => name)
  const place = rollup.orderBy.includes('province') ? 's.place' : withoutProvince('s.place')
  const names = rollup.orderBy.map((name) =>
    name === 'bucket' ? 'bucket' : `${stageColumn(meter.name, name)} AS ${name}`,
  )
  return `INSERT INTO ${rollup.table} (${[...rollup.orderBy, ...quantities].join(', ')})
SELECT ${[...names, ...quantities.map((name) => `sum(n.${name})`)].join(', ')}
FROM (
  SELECT s.version AS version, ${place} AS place, ${bucketOf(rollup, 's')} AS bucket,
    ${quantities.map((name) => `sum(s.${name}) AS ${name}`).join(', ')}
  FROM ${stage} AS s WHERE s.reason = 0 GROUP BY version, place, bucket
) AS n
GROUP BY ${rollup.orderBy.join(', ')}
SETTINGS ${onceFor(batch)}`
}

function onceFor({ id }: Pick<Batch, 'id'>): string {
  return `${ONE_BLOCK}, ${ALREADY_SUMMED}, insert_deduplication_token = '${id}'`
}

function bucketOf({ bucketSeconds }: Rollup, table: string): string {
  return `toStartOfInterval(${table}.minute, INTERVAL ${bucketSeconds} SECOND)`
}

/** Renders the statement that fills a rollup from usage, where its rows were deleted before. */
export function renderRebuild(meter: Meter, rollup: Rollup, condition: string): string {
  return `${renderSums(meter, rollup, condition)}
SETTINGS ${ONE_BLOCK}, ${ALREADY_SUMMED}, insert_deduplicate = 0`
}

function renderSums(meter: Meter, rollup: Rollup, condition: string): string {
  const keys = rollup.orderBy.map((name) =>
    name === 'bucket'
      ? `${bucketOf(rollup, 'u')} AS bucket`
      : `${dimensionValue(meter, name, 'u')} AS ${name}`,
  )
  const quantities = meter.quantities.map(({ name }) => name)
  return `INSERT INTO ${rollup.table} (${[...rollup.orderBy, ...quantities].join(', ')})
SELECT ${[...keys, ...quantities.map((name) => `sum(u.${name})`)].join(', ')}
FROM usage_${meter.name} AS u
WHERE ${condition}
GROUP BY ${rollup.orderBy.join(', ')}`
}

import { mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { UsageExportQuery, UsageExporter } from '../../api/operations/export-usage.ts'
import type { MeterName } from '../../catalog/model.ts'
import { newRequestId } from '../../core/ids.ts'
import { dimensionsOf, METERS } from '../../meters/meter.ts'
import { dimensionValue } from './dimension.ts'
import type { Parameters } from './bind.ts'
import type { Engine } from './engine.ts'

/** A column of the Parquet file. */
export interface ExportColumn {
  readonly name: string
  /** As Parquet has it. */
  readonly type: 'timestamp' | 'string' | 'uint64' | 'uint16' | 'uint8'
  readonly doc: string
}

/**
 * Lists the columns of a meter's export, in their order.
 *
 * Source: docs/reference/exports.md is kept equal to it by a test.
 */
export function exportColumns(meter: MeterName): ExportColumn[] {
  const { quantities } = METERS[meter]
  return [
    { name: 'minute', type: 'timestamp', doc: 'Start of its minute, UTC, in milliseconds.' },
    ...dimensionsOf(METERS[meter]).map(({ name, type, doc }): ExportColumn => ({
      name,
      type: parquetType(type),
      doc,
    })),
    ...quantities.map(({ name, doc }): ExportColumn => ({ name, type: 'uint64', doc })),
    { name: 'source', type: 'string', doc: 'Who reported it.' },
    { name: 'batch', type: 'uint64', doc: 'Loaded with this batch.' },
    {
      name: 'geo_version',
      type: 'string',
      doc: 'Address database that attributed it; empty where none was asked.',
    },
  ]
}

/** Makes what writes measured usage into Parquet files, below a directory of our own. */
export function createUsageExporter(engine: Engine, directory: string): UsageExporter {
  return (query) => exportUsage(engine, directory, query)
}

/**
 * Writes usage into a file and opens it.
 *
 * The whole file is written before its first byte is read: an error comes instead of it, never in
 * the middle, and a slow reader holds no connection to the engine. The file has no name any more
 * when it is handed out, so that nothing is left of it when the reader goes away.
 */
async function exportUsage(
  engine: Engine,
  directory: string,
  query: UsageExportQuery,
): Promise<Readable> {
  await mkdir(directory, { recursive: true })
  const path = join(directory, `export-${newRequestId()}.parquet`)
  try {
    const { sql, parameters } = renderExport(query)
    await engine.writeParquet(path, sql, parameters)
    const file = await open(path)
    return file.createReadStream()
  } finally {
    await rm(path, { force: true })
  }
}

/** Renders the query whose rows are exported. */
export function renderExport({ meter, accountId, stretches }: UsageExportQuery): {
  readonly sql: string
  readonly parameters: Parameters
} {
  const columns = exportColumns(meter).map(
    ({ name, type }) => `${valueOf(dimensionValue(METERS[meter], name), type)} AS ${name}`,
  )
  const conditions = [
    't.account = {account:String}',
    't.minute >= {start:DateTime}',
    't.minute < {end:DateTime}',
    ...limitsOf(stretches),
  ]
  const [first, last] = [stretches[0], stretches.at(-1)]
  return {
    sql: `SELECT ${columns.join(',\n  ')}
FROM usage_${meter} AS t
WHERE ${conditions.join(' AND ')}`,
    parameters: {
      account: accountId,
      start: (first?.startMs ?? 0) / 1000,
      end: (last?.endMs ?? 0) / 1000,
    },
  }
}

/** Limits each stretch to its batches; between stretches nothing is meant. */
function limitsOf(stretches: UsageExportQuery['stretches']): string[] {
  if (stretches.every(({ throughBatch }) => throughBatch === null)) return []
  const steps = stretches.flatMap(({ startMs, endMs, throughBatch }, index) => {
    const isTouching = stretches[index + 1]?.startMs === endMs
    const step = { atMs: startMs, batch: throughBatch ?? Number.MAX_SAFE_INTEGER }
    return isTouching ? [step] : [step, { atMs: endMs, batch: 0 }]
  })
  const starts = `[${steps.map(({ atMs }) => `toUInt32(${atMs / 1000})`).join(', ')}]`
  const batches = `[${steps.map(({ batch }) => `toUInt64(${batch})`).join(', ')}]`
  const step = `roundDown(toUnixTimestamp(t.minute), ${starts})`
  return [`t.batch <= transform(${step}, ${starts}, ${batches}, toUInt64(0))`]
}

function valueOf(value: string, type: ExportColumn['type']): string {
  // Parquet has no seconds, and some engines write a plain DateTime as a bare number.
  if (type === 'timestamp') return `toDateTime64(${value}, 3, 'UTC')`
  return type === 'string' ? `toString(${value})` : value
}

function parquetType(type: string): ExportColumn['type'] {
  if (type === 'UInt8') return 'uint8'
  return type === 'UInt16' ? 'uint16' : 'string'
}

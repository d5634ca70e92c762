import type { Batch } from '../../ingest/batch.ts'
import type { LineFormat } from '../../meters/line-format.ts'
import { dimensionsOf, type MeterName } from '../../meters/meter.ts'
import { REJECT_REASONS } from '../../meters/reject-reasons.ts'
import type { Engine, LineFile, LineSource } from './engine.ts'
import { placeNames, arrayOf } from './places.ts'
import { quote } from './render.ts'
import { parsedLines, renderStageLog } from './stage-log.ts'
import { parsedRecords, renderStageRecords } from './stage-records.ts'
import {
  BACKGROUND,
  CACHE_RESULTS,
  mapFrames,
  meterOf,
  numberPerFrame,
  PROTOCOLS,
  textPerFrame,
  type Lateness,
} from './stage.ts'

/** One block per insert: the engine then writes each partition's part at once, under one token. */
export const ONE_BLOCK =
  `${BACKGROUND}, max_insert_threads = 1, min_insert_block_size_rows = 1000000000, ` +
  'min_insert_block_size_bytes = 1000000000000, max_insert_block_size = 1000000000, ' +
  'max_partitions_per_insert_block = 0'

/** Longest stored text of a rejected line. */
const RAW_LENGTH_MAX = 1 << 20

/** What a load needs beside the engine. */
export interface LoadContext {
  readonly engine: Engine
  readonly lateness: Lateness
  readonly geoVersion: string
  readonly compile: (spec: (Batch['reading'] & { kind: 'log' })['spec']) => LineFormat
}

/**
 * Expressions: a usage column from a stage row, where it is not stored under the same name.
 *
 * A batch has few owners and places: of a LowCardinality column each is looked up once.
 */
export function stageColumn(meter: MeterName, name: string): string {
  const owner = `dictGet('attribution_versions', '${name}', toLowCardinality(toUInt64(version)))`
  if (['account', 'project', 'resource', 'region', 'kind'].includes(name)) return owner
  if (meter !== 'cdn') return name
  const place = placeNames('toLowCardinality(place)')
  switch (name) {
    case 'area':
    case 'billing_region':
    case 'province':
    case 'isp':
      return place[name]
    case 'protocol':
      return `arrayElement(${arrayOf(PROTOCOLS)}, toLowCardinality(protocol) + 1)`
    case 'cache':
      return `arrayElement(${arrayOf(CACHE_RESULTS)}, toLowCardinality(cache) + 1)`
    default:
      return name
  }
}

/** Parses the batch into the table `stage`, replacing what was staged there before. */
export async function stageBatch(
  { engine, lateness, compile }: LoadContext,
  batch: Batch,
  stage: string,
  files: readonly LineFile[],
): Promise<void> {
  await engine.command(`TRUNCATE TABLE ${stage}`)
  const { reading } = batch
  if (files.length === 0) return
  const render =
    reading.kind === 'log'
      ? (source: LineSource) =>
          renderStageLog(batch, compile(reading.spec), lateness, stage, source)
      : (source: LineSource) => renderStageRecords(batch, lateness, stage, source)
  await engine.loadLines(render, files)
}

/**
 * Renders the statement that moves usable staged rows into the usage table.
 *
 * A record whose id the same minutes already hold, or that comes twice in the batch, is left out:
 * the batch's ids are looked up in the table, not the table's ids in the batch.
 */
export function renderInsertUsage(context: LoadContext, batch: Batch, stage: string): string {
  const meter = meterOf(batch)
  const dimensions = dimensionsOf(meter).map(({ name }) => name)
  const quantities = meter.quantities.map(({ name }) => name)
  const geo = batch.meter === 'cdn' ? `if(located = 1, ${quote(context.geoVersion)}, '')` : `''`
  const records = batch.reading.kind === 'records'
  const fresh = records
    ? ` AND (rid, rid_check) NOT IN (
  SELECT u.rid, u.rid_check FROM usage_${meter.name} AS u
  PREWHERE u.rid IN (SELECT rid FROM ${stage} WHERE rid != 0 AND reason = 0)
  WHERE u.minute >= (SELECT min(minute) FROM ${stage} WHERE reason = 0)
    AND u.minute <= (SELECT max(minute) FROM ${stage} WHERE reason = 0))
ORDER BY position LIMIT 1 BY if(rid = 0, position, rid), rid_check`
    : ''
  return `INSERT INTO usage_${meter.name}
  (batch, frame, source, rid, rid_check, minute, ${[...dimensions, ...quantities].join(', ')}, geo_version)
SELECT
  ${batch.id}, ${numberPerFrame(batch.frames, (frame) => frame.seq)},
  ${textPerFrame(batch.frames, (frame) => frame.source)}, rid, rid_check, minute,
  ${dimensions.map((name) => stageColumn(batch.meter, name)).join(',\n  ')},
  ${quantities.join(', ')}, ${geo}
FROM ${stage}
WHERE reason = 0${fresh}
SETTINGS ${ONE_BLOCK}, insert_deduplication_token = '${batch.id}-${batch.attempt}'`
}

/** Renders the statement that keeps unusable lines with their reason and text. */
export function renderInsertRejected(
  context: LoadContext,
  batch: Batch,
  stage: string,
  source: LineSource,
): string {
  const { reading } = batch
  const parsed =
    reading.kind === 'log'
      ? parsedLines(batch, context.compile(reading.spec), source)
      : parsedRecords(batch, source)
  const detail = reading.kind === 'log' ? 'p.host' : 'p.r.resource'
  const reasons = REJECT_REASONS.map(quote).join(', ')
  const numbers = REJECT_REASONS.map((_, index) => index + 1).join(', ')
  return `INSERT INTO rejected
  (batch, frame, line, received, source, meter, format, reason, detail, raw)
SELECT
  ${batch.id}, ${numberPerFrame(batch.frames, (frame) => frame.seq)},
  p.position - ${mapFrames(batch.frames).start} + 1,
  toDateTime(${numberPerFrame(batch.frames, (frame) => Math.floor(frame.receivedMs / 1000))}, 'UTC'),
  ${textPerFrame(batch.frames, (frame) => frame.source)},
  ${quote(batch.meter)}, ${quote(JSON.stringify(reading))},
  transform(s.reason, [${numbers}], [${reasons}], ''), ${detail}, substring(p.line, 1, ${RAW_LENGTH_MAX})
FROM ${parsed} AS p
INNER JOIN (SELECT position, reason FROM ${stage} WHERE reason != 0) AS s ON s.position = p.position
SETTINGS ${ONE_BLOCK}, insert_deduplication_token = '${batch.id}-${batch.attempt}'${source.suffix}`
}

/** Keeps the beginnings of lines that were too long to be read. */
export async function insertOversize(engine: Engine, batch: Batch): Promise<void> {
  const rows = batch.frames.flatMap((frame) =>
    frame.oversize.map(({ head }, index) => {
      const line = frame.lines + index + 1
      const received = Math.floor(frame.receivedMs / 1000)
      return `(${batch.id}, ${frame.seq}, ${line}, ${received}, ${quote(frame.source)}, ${quote(batch.meter)}, ${quote(JSON.stringify(batch.reading))}, 'line_too_long', '', ${quote(head)})`
    }),
  )
  if (rows.length === 0) return
  await engine.command(`INSERT INTO rejected
  (batch, frame, line, received, source, meter, format, reason, detail, raw)
SETTINGS insert_deduplication_token = '${batch.id}-${batch.attempt}-oversize'
VALUES ${rows.join(', ')}`)
}

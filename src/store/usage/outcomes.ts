import { AppError } from '../../core/errors.ts'
import type { Batch, FrameOutcome } from '../../ingest/batch.ts'
import { METERS } from '../../meters/meter.ts'
import type { RejectReason } from '../../meters/reject-reasons.ts'
import type { Engine } from './engine.ts'

/** What a frame brings in: of a stage its usable lines, of the usage table its rows. */
interface Accepted {
  readonly lines: number
  readonly bytes: bigint
  readonly accounts: readonly string[]
}

/** What a stage holds. */
export interface StagedCounts {
  readonly unusable: number
  /** Usable lines of each frame, by its position in the batch from 1. */
  readonly usable: ReadonlyMap<number, Accepted>
}

/**
 * Counts what is staged, frame by frame.
 *
 * Errors: `internal` when a line of the batch is not there: nothing is inserted then.
 */
export async function countStaged(
  engine: Engine,
  batch: Batch,
  table: string,
): Promise<StagedCounts> {
  const account = `dictGet('attribution_versions', 'account', toLowCardinality(toUInt64(s.version)))`
  const rows = await engine.rows<{
    f: number
    all: string
    usable: string
    bytes: string
    accounts: string[]
  }>(
    `SELECT s.f AS f, sum(s.records) AS all, sumIf(s.records, s.reason = 0) AS usable,
  sumIf(s.${METERS[batch.meter].bytes}, s.reason = 0) AS bytes,
  groupUniqArrayIf(toString(${account}), s.reason = 0) AS accounts
FROM ${table} AS s GROUP BY f`,
  )
  const sum = (of: 'all' | 'usable'): number =>
    rows.reduce((total, row) => total + Number(row[of]), 0)
  const lines = sum('all')
  const expected = batch.frames.reduce((total, frame) => total + frame.lines, 0)
  if (lines !== expected) {
    throw new AppError('internal', `Staged ${lines} of ${expected} lines of batch ${batch.id}.`)
  }
  return {
    unusable: lines - sum('usable'),
    usable: new Map(
      rows.map(({ f, usable, bytes, accounts }) => [
        f,
        { lines: Number(usable), bytes: BigInt(bytes), accounts },
      ]),
    ),
  }
}

/**
 * Counts what became of each frame of an inserted batch.
 *
 * Every usable line of a log is in the usage table; of records, those are not whose id was there
 * before, so they are counted where they are.
 */
export async function countOutcomes(
  engine: Engine,
  batch: Batch,
  { unusable, usable }: StagedCounts,
): Promise<FrameOutcome[]> {
  const accepted =
    batch.reading.kind === 'log'
      ? batch.frames.map((_, index) => usable.get(index + 1))
      : await countInserted(engine, batch)
  const anyRejected = unusable > 0 || batch.frames.some(({ oversize }) => oversize.length > 0)
  const refused = anyRejected ? await countRejected(engine, batch) : []
  return batch.frames.map((frame, index) => {
    const mine = accepted[index]
    const rejected: Partial<Record<RejectReason, number>> = {}
    let rejectedLines = 0
    for (const row of refused) {
      if (row.frame !== String(frame.seq)) continue
      rejected[row.reason] = Number(row.lines)
      rejectedLines += Number(row.lines)
    }
    const lines = frame.lines + frame.oversize.length
    const acceptedLines = mine?.lines ?? 0
    return {
      seq: frame.seq,
      lines,
      accepted: acceptedLines,
      duplicate: lines - acceptedLines - rejectedLines,
      rejected,
      accounts: mine?.accounts ?? [],
      bytes: mine?.bytes ?? 0n,
    }
  })
}

async function countInserted(
  engine: Engine,
  batch: Batch,
): Promise<readonly (Accepted | undefined)[]> {
  const rows = await engine.rows<{
    frame: string
    lines: string
    bytes: string
    accounts: string[]
  }>(
    `SELECT u.frame AS frame, count() AS lines, sum(u.${METERS[batch.meter].bytes}) AS bytes,
  groupUniqArray(toString(u.account)) AS accounts
FROM usage_${batch.meter} AS u WHERE u.batch = ${batch.id} GROUP BY frame`,
  )
  const byFrame = new Map(
    rows.map(({ frame, lines, bytes, accounts }) => [
      frame,
      { lines: Number(lines), bytes: BigInt(bytes), accounts },
    ]),
  )
  return batch.frames.map(({ seq }) => byFrame.get(String(seq)))
}

async function countRejected(
  engine: Engine,
  batch: Batch,
): Promise<{ frame: string; reason: RejectReason; lines: string }[]> {
  return await engine.rows(
    `SELECT r.frame AS frame, r.reason AS reason, count() AS lines
FROM rejected AS r WHERE r.batch = ${batch.id} GROUP BY frame, reason`,
  )
}

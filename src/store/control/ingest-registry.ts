import { type Kysely, sql, type Transaction } from 'kysely'
import type { Batch, Frame, FrameOutcome } from '../../ingest/batch.ts'
import type { IngestRegistry, KnownFile, LoadedFrame } from '../../ingest/registry.ts'
import type { Clock } from '../../core/clock.ts'
import type { MeterName } from '../../meters/meter.ts'
import type { FrameRow } from './ingest-tables.ts'
import type { ControlDatabase } from './tables.ts'

/** Keeps what became of received frames in the control store. */
export function createIngestRegistry(db: Kysely<ControlDatabase>, clock: Clock): IngestRegistry {
  return {
    checkpoint: (batch, outcomes) =>
      db.transaction().execute((trx) => checkpoint(trx, batch, outcomes, clock.nowMs())),
    async loadedFrame(seq) {
      const row = await db
        .selectFrom('ingest_frames')
        .selectAll()
        .where('seq', '=', seq)
        .executeTakeFirst()
      return row === undefined ? undefined : fromRow(row)
    },
    files: (headHash) => readFiles(db, headHash),
    async splitChunk({ headHash, splitId, path, parts }) {
      const rows = parts.map(({ offset, length, lines, sha256 }) => ({
        file_id: splitId,
        byte_offset: offset,
        length,
        lines,
        sha256,
        head_hash: headHash,
        path,
      }))
      await db
        .insertInto('file_chunks')
        .values(rows)
        .onConflict((conflict) => conflict.columns(['file_id', 'byte_offset']).doNothing())
        .execute()
    },
    async fileEnd(fileId) {
      const last = await db
        .selectFrom('file_chunks')
        .select(['byte_offset', 'length'])
        .where('file_id', '=', fileId)
        .orderBy('byte_offset', 'desc')
        .limit(1)
        .executeTakeFirst()
      return last === undefined ? 0 : last.byte_offset + last.length
    },
    async frameOfRequest(source, key) {
      const row = await db
        .selectFrom('request_keys')
        .select('seq')
        .where('source', '=', source)
        .where('request_key', '=', key)
        .executeTakeFirst()
      return row?.seq
    },
    async totals() {
      const rows = await db
        .selectFrom('ingest_totals')
        .selectAll()
        .orderBy('source')
        .orderBy('meter')
        .execute()
      return rows.map((row) => ({ ...row, meter: row.meter as MeterName }))
    },
    async prune(beforeMs) {
      await db.deleteFrom('ingest_frames').where('received_ms', '<', beforeMs).execute()
      await db.deleteFrom('request_keys').where('received_ms', '<', beforeMs).execute()
    },
  }
}

type Trx = Transaction<ControlDatabase>

async function checkpoint(
  trx: Trx,
  batch: Batch,
  outcomes: readonly FrameOutcome[],
  nowMs: number,
): Promise<void> {
  const bySeq = new Map(outcomes.map((outcome) => [outcome.seq, outcome]))
  for (const frame of batch.frames) {
    const outcome = bySeq.get(frame.seq)
    if (outcome === undefined) continue
    const inserted = await trx
      .insertInto('ingest_frames')
      .values(toRow(frame, outcome, nowMs))
      .onConflict((conflict) => conflict.column('seq').doNothing())
      .executeTakeFirst()
    // A checkpoint that is repeated after a crash must not count again.
    if (inserted.numInsertedOrUpdatedRows === 0n) continue
    await addTotals(trx, frame, outcome)
    await rememberFile(trx, frame)
    await rememberRequest(trx, frame)
  }
}

function sumRejected(outcome: FrameOutcome): number {
  return Object.values(outcome.rejected).reduce((sum, lines) => sum + lines, 0)
}

// A replay moves lines that were counted as rejected before; it receives nothing new.
async function addTotals(trx: Trx, frame: Frame, outcome: FrameOutcome): Promise<void> {
  const replay = frame.replays.length > 0
  const lines = replay ? 0 : outcome.lines
  const rejected = sumRejected(outcome) - (replay ? frame.replays.length : 0)
  const { source, meter } = frame
  const { accepted, duplicate } = outcome
  await trx
    .insertInto('ingest_totals')
    .values({ source, meter, lines, accepted, duplicate, rejected })
    .onConflict((conflict) =>
      conflict.columns(['source', 'meter']).doUpdateSet({
        lines: sql`ingest_totals.lines + ${lines}`,
        accepted: sql`ingest_totals.accepted + ${accepted}`,
        duplicate: sql`ingest_totals.duplicate + ${duplicate}`,
        rejected: sql`ingest_totals.rejected + ${rejected}`,
      }),
    )
    .execute()
}

async function rememberFile(trx: Trx, { file, lines }: Frame): Promise<void> {
  if (file === null) return
  await trx
    .insertInto('file_chunks')
    .values({
      file_id: file.fileId,
      byte_offset: file.offset,
      length: file.length,
      lines,
      sha256: file.sha256,
      head_hash: file.headHash,
      path: file.path,
    })
    .onConflict((conflict) => conflict.columns(['file_id', 'byte_offset']).doNothing())
    .execute()
}

async function rememberRequest(trx: Trx, frame: Frame): Promise<void> {
  if (frame.idempotencyKey === null) return
  await trx
    .insertInto('request_keys')
    .values({
      source: frame.source,
      request_key: frame.idempotencyKey,
      seq: frame.seq,
      received_ms: frame.receivedMs,
    })
    .onConflict((conflict) => conflict.columns(['source', 'request_key']).doNothing())
    .execute()
}

async function readFiles(db: Kysely<ControlDatabase>, headHash: string): Promise<KnownFile[]> {
  const rows = await db
    .selectFrom('file_chunks')
    .selectAll()
    .where('head_hash', '=', headHash)
    .orderBy('file_id')
    .orderBy('byte_offset')
    .execute()
  const files = new Map<string, KnownFile['chunks'][number][]>()
  for (const { file_id: fileId, byte_offset: offset, length, lines, sha256 } of rows) {
    const chunks = files.get(fileId) ?? []
    chunks.push({ offset, length, lines, sha256 })
    files.set(fileId, chunks)
  }
  return [...files].map(([fileId, chunks]) => ({ fileId, chunks }))
}

function toRow(frame: Frame, outcome: FrameOutcome, nowMs: number): InsertedFrame {
  return {
    seq: frame.seq,
    source: frame.source,
    meter: frame.meter,
    is_replay: frame.replays.length > 0 ? 1 : 0,
    received_ms: frame.receivedMs,
    loaded_ms: nowMs,
    lines: outcome.lines,
    accepted: outcome.accepted,
    duplicate: outcome.duplicate,
    rejected: JSON.stringify(outcome.rejected),
    bytes: outcome.bytes,
  }
}

type InsertedFrame = Omit<FrameRow, 'bytes'> & { bytes: bigint }

function fromRow(row: Omit<FrameRow, 'bytes'> & { bytes: number | bigint }): LoadedFrame {
  return {
    seq: row.seq,
    source: row.source,
    meter: row.meter as MeterName,
    receivedMs: row.received_ms,
    loadedMs: row.loaded_ms,
    outcome: {
      seq: row.seq,
      lines: row.lines,
      accepted: row.accepted,
      duplicate: row.duplicate,
      rejected: JSON.parse(row.rejected) as FrameOutcome['rejected'],
      bytes: BigInt(row.bytes),
    },
  }
}

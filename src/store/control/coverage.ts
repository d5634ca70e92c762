import type { Kysely, Transaction } from 'kysely'
import type { CoverageDeps, SourceRecord } from '../../billing/coverage-facts.ts'
import type { MeterName } from '../../catalog/model.ts'
import type { EpochMs } from '../../core/clock.ts'
import { newId } from '../../core/ids.ts'
import {
  ceilTo,
  DAY_MS,
  FIVE_MINUTES_MS,
  floorTo,
  type Interval,
  MINUTE_MS,
} from '../../core/period.ts'
import type { Beat, CoverageLog, Expectation } from '../../ingest/coverage-log.ts'
import { recordNumbers } from './coverage-numbers.ts'
import type { SourceGapRow, SourceTermRow } from './coverage-tables.ts'
import type { ControlDatabase } from './tables.ts'

/** What is known of how completely sources report. */
export type CoverageStore = CoverageLog & CoverageDeps['records']

/** A slot that ended this long ago is not being written any more: what comes says when it came. */
const LIVE_MS = MINUTE_MS
/** How far back a sender may say that it sent everything: as far as usage may be late. */
const THROUGH_MS_MAX = 35 * DAY_MS

type Db = Kysely<ControlDatabase>
type Trx = Transaction<ControlDatabase>

/** Keeps heartbeats, numbers, gaps and expectations of sources in the control store. */
export function createCoverageStore(db: Db): CoverageStore {
  return {
    recordBeats: (beats, nowMs) =>
      db.transaction().execute(async (trx) => {
        for (const beat of beats) await recordBeat(trx, beat, nowMs)
      }),
    recordThrough: (source, throughMs, nowMs) =>
      db.transaction().execute((trx) => recordThrough(trx, source, throughMs, nowMs)),
    recordNumbers: (numbers, nowMs) =>
      db.transaction().execute((trx) => recordNumbers(trx, numbers, nowMs)),
    async recordGap({ source, startMs, endMs, file }, nowMs) {
      await db
        .insertInto('source_gaps')
        .values({
          id: newId('gap', 16),
          source,
          start_ms: startMs,
          end_ms: endMs,
          file,
          first_number: null,
          last_number: null,
          recorded_ms: nowMs,
          filled_ms: null,
        })
        .execute()
    },
    noteExpectations: (origin, expectations, nowMs) =>
      db.transaction().execute((trx) => noteExpectations(trx, origin, expectations, nowMs)),
    records: (interval, knownMs) => readRecords(db, interval, knownMs),
  }
}

/** Splits a beat into slots that are being written and those that are long over. */
async function recordBeat(trx: Trx, beat: Beat, nowMs: EpochMs): Promise<void> {
  const endMs = Math.min(beat.endMs, ceilTo(nowMs + 1, FIVE_MINUTES_MS))
  const liveMs = floorTo(nowMs - LIVE_MS, FIVE_MINUTES_MS)
  const lateEndMs = Math.min(endMs, liveMs)
  if (beat.startMs < lateEndMs) {
    await insertBeat(trx, { ...beat, endMs: lateEndMs }, nowMs)
  }
  for (let slotMs = Math.max(beat.startMs, liveMs); slotMs < endMs; slotMs += FIVE_MINUTES_MS) {
    await extendBeat(trx, beat.source, slotMs)
  }
  await rememberStart(trx, beat.source, beat.startMs, nowMs)
}

async function insertBeat(trx: Trx, beat: Beat, recordedMs: EpochMs): Promise<void> {
  const { source, startMs, endMs } = beat
  await trx
    .insertInto('source_beats')
    .values({ source, start_ms: startMs, end_ms: endMs, recorded_ms: recordedMs })
    .onConflict((conflict) =>
      conflict.columns(['source', 'start_ms', 'end_ms', 'recorded_ms']).doNothing(),
    )
    .execute()
}

/** A source that beats without a break has one row, however long. */
async function extendBeat(trx: Trx, source: string, slotMs: EpochMs): Promise<void> {
  const endMs = slotMs + FIVE_MINUTES_MS
  const extended = await trx
    .updateTable('source_beats')
    .set({ end_ms: endMs })
    .where('source', '=', source)
    .where('recorded_ms', '=', 0)
    .where('end_ms', '=', slotMs)
    .executeTakeFirst()
  if (extended.numUpdatedRows > 0n) return
  const known = await trx
    .selectFrom('source_beats')
    .select('start_ms')
    .where('source', '=', source)
    .where('recorded_ms', '=', 0)
    .where('start_ms', '<=', slotMs)
    .where('end_ms', '>', slotMs)
    .executeTakeFirst()
  if (known === undefined) await insertBeat(trx, { source, startMs: slotMs, endMs }, 0)
}

async function rememberStart(
  trx: Trx,
  source: string,
  startMs: EpochMs,
  nowMs: EpochMs,
): Promise<void> {
  await trx
    .insertInto('source_marks')
    .values({ source, start_ms: startMs, start_recorded_ms: nowMs })
    .onConflict((conflict) =>
      conflict
        .column('source')
        .doUpdateSet({ start_ms: startMs, start_recorded_ms: nowMs })
        .where('source_marks.start_ms', 'is', null),
    )
    .execute()
}

async function recordThrough(
  trx: Trx,
  source: string,
  throughMs: EpochMs,
  nowMs: EpochMs,
): Promise<void> {
  const endMs = floorTo(throughMs, FIVE_MINUTES_MS)
  await rememberStart(trx, source, endMs, nowMs)
  // Setting it to itself keeps others from reading it until this is done.
  const mark = await trx
    .updateTable('source_marks')
    .set({ source })
    .where('source', '=', source)
    .returningAll()
    .executeTakeFirstOrThrow()
  const sinceMs = mark.through_ms ?? mark.start_ms ?? endMs
  const startMs = Math.max(sinceMs, floorTo(nowMs - THROUGH_MS_MAX, FIVE_MINUTES_MS))
  if (endMs <= startMs) return
  await insertBeat(trx, { source, startMs, endMs }, nowMs)
  await trx
    .updateTable('source_marks')
    .set({ through_ms: endMs })
    .where('source', '=', source)
    .execute()
}

async function noteExpectations(
  trx: Trx,
  origin: SourceTermRow['origin'],
  expectations: ReadonlyMap<string, Expectation>,
  nowMs: EpochMs,
): Promise<void> {
  const rows = await trx.selectFrom('source_terms').selectAll().orderBy('recorded_ms').execute()
  const known = new Set(rows.map(({ source }) => source))
  const latest = new Map(
    rows.flatMap((row) => (row.origin === origin ? [[row.source, row.expects] as const] : [])),
  )
  for (const [source, expects] of expectations) {
    if (latest.get(source) === expects) continue
    // Nothing was ever expected of it, so there is nothing to end.
    if (expects === 'retired' && !latest.has(source)) continue
    await trx
      .insertInto('source_terms')
      .values({
        source,
        origin,
        // A new source may report what moved before it was made; a change counts from now on.
        from_ms: known.has(source) ? floorTo(nowMs, FIVE_MINUTES_MS) : 0,
        expects,
        recorded_ms: nowMs,
      })
      .onConflict((conflict) => conflict.columns(['source', 'origin', 'recorded_ms']).doNothing())
      .execute()
  }
}

async function readRecords(
  db: Db,
  interval: Interval,
  knownMs: EpochMs,
): Promise<readonly SourceRecord[]> {
  const terms = await db
    .selectFrom('source_terms')
    .selectAll()
    .where('recorded_ms', '<=', knownMs)
    .orderBy('from_ms')
    .orderBy('recorded_ms')
    .execute()
  const due = dueOf(terms, interval)
  const gaps = groupSpans(await readGaps(db, interval, knownMs))
  const beats = await readBeats(db, interval, knownMs)
  const starts = await readStarts(db, knownMs)
  const sources = await readRestrictions(db)
  const names = [...new Set([...due.keys(), ...gaps.keys()])].sort()
  return names.map((source) => ({
    source,
    due: due.get(source) ?? [],
    firstMs: starts.get(source) ?? null,
    beats: beats.get(source) ?? [],
    gaps: gaps.get(source) ?? [],
    accountId: sources.get(source)?.accountId ?? null,
    meters: sources.get(source)?.meters ?? null,
  }))
}

/** When each source is to report continuously: while any of those that speak for it says so. */
function dueOf(
  terms: readonly SourceTermRow[],
  interval: Interval,
): ReadonlyMap<string, readonly Interval[]> {
  const lines = new Map<string, SourceTermRow[]>()
  for (const term of terms) {
    const key = JSON.stringify([term.source, term.origin])
    lines.set(key, [...(lines.get(key) ?? []), term])
  }
  const due = new Map<string, Interval[]>()
  for (const line of lines.values()) {
    for (const [index, { source, from_ms: fromMs, expects }] of line.entries()) {
      const startMs = Math.max(fromMs, 0)
      const endMs = Math.min(line[index + 1]?.from_ms ?? interval.endMs, interval.endMs)
      if (expects !== 'continuous' || endMs <= Math.max(startMs, interval.startMs)) continue
      due.set(source, [...(due.get(source) ?? []), { startMs, endMs }])
    }
  }
  return due
}

function readGaps(
  db: Db,
  interval: Interval,
  knownMs: EpochMs,
): Promise<Pick<SourceGapRow, 'source' | 'start_ms' | 'end_ms'>[]> {
  return db
    .selectFrom('source_gaps')
    .select(['source', 'start_ms', 'end_ms'])
    .where('end_ms', '>=', interval.startMs)
    .where('start_ms', '<', interval.endMs)
    .where('recorded_ms', '<=', knownMs)
    .where((is) => is.or([is('filled_ms', 'is', null), is('filled_ms', '>', knownMs)]))
    .orderBy('source')
    .orderBy('start_ms')
    .execute()
}

async function readBeats(
  db: Db,
  interval: Interval,
  knownMs: EpochMs,
): Promise<ReadonlyMap<string, readonly Interval[]>> {
  // Rows that grow with time have slots that are not over yet.
  const overMs = floorTo(knownMs, FIVE_MINUTES_MS)
  const rows = await db
    .selectFrom('source_beats')
    .select(['source', 'start_ms', 'end_ms', 'recorded_ms'])
    .where('end_ms', '>', interval.startMs)
    .where('start_ms', '<', interval.endMs)
    .where('recorded_ms', '<=', knownMs)
    .orderBy('source')
    .orderBy('start_ms')
    .execute()
  return groupSpans(
    rows.map((row) =>
      row.recorded_ms === 0 ? { ...row, end_ms: Math.min(row.end_ms, overMs) } : row,
    ),
  )
}

function groupSpans(
  rows: readonly { source: string; start_ms: number; end_ms: number }[],
): ReadonlyMap<string, readonly Interval[]> {
  const spans = new Map<string, Interval[]>()
  for (const { source, start_ms: startMs, end_ms: endMs } of rows) {
    const known = spans.get(source) ?? []
    if (known.length === 0) spans.set(source, known)
    known.push({ startMs, endMs })
  }
  return spans
}

async function readStarts(db: Db, knownMs: EpochMs): Promise<ReadonlyMap<string, EpochMs>> {
  const rows = await db
    .selectFrom('source_marks')
    .select(['source', 'start_ms'])
    .where('start_recorded_ms', '<=', knownMs)
    .execute()
  return new Map(
    rows.flatMap((row) => (row.start_ms === null ? [] : [[row.source, row.start_ms] as const])),
  )
}

/** What a source is restricted to never changes, so that old bills find it as it was. */
async function readRestrictions(
  db: Db,
): Promise<ReadonlyMap<string, { accountId: string | null; meters: readonly MeterName[] }>> {
  const rows = await db.selectFrom('sources').select(['name', 'account_id', 'meters']).execute()
  return new Map(
    rows.map((row) => [
      row.name,
      { accountId: row.account_id, meters: JSON.parse(row.meters) as MeterName[] },
    ]),
  )
}

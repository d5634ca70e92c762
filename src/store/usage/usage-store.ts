import { mkdir } from 'node:fs/promises'
import { AppError, assert } from '../../core/errors.ts'
import type { Batch, FrameOutcome, LogSpec } from '../../ingest/batch.ts'
import type { BatchFile } from '../../ingest/batch-files.ts'
import type { BatchStore } from '../../ingest/loader.ts'
import type { LineFormat } from '../../meters/line-format.ts'
import { METERS, METER_NAMES } from '../../meters/meter.ts'
import { deleteRows } from './delete-rows.ts'
import type { Engine } from './engine.ts'
import { forBatch, waitForEarlierStatements } from './fence.ts'
import {
  countOutcomes,
  insertOversize,
  renderInsertRejected,
  renderInsertUsage,
  renderRoll,
  stageBatch,
  type LoadContext,
} from './load.ts'
import {
  installPlaces,
  REFERENCE_STATEMENTS,
  replaceAttribution,
  type Attribution,
} from './reference.ts'
import { renderCreate } from './render.ts'
import { repairRollups } from './repair.ts'
import {
  meterOf,
  renderStages,
  STAGE_SLOTS,
  stageTable,
  type Lateness,
  type StageSlot,
} from './stage.ts'
import { TABLES } from './tables.ts'

export interface UsageStoreDeps {
  readonly engine: Engine
  readonly lateness: Lateness
  /** For files that carry reference data into the engine. */
  readonly directory: string
  readonly places: {
    readonly version: string
    readonly writePrefixes: (path: string) => Promise<unknown>
  }
  readonly compile: (spec: LogSpec) => LineFormat
  /** Who owned what, and a number that changes whenever that does. */
  readonly ownership: {
    revision(): Promise<number>
    attributions(): Promise<readonly Attribution[]>
  }
}

/** The writing side of the usage store. */
export interface UsageStore extends BatchStore {
  /** Creates what is missing and takes up reference data; safe to repeat. */
  open(): Promise<void>
}

/** What a stage holds. */
interface Staged {
  readonly batch: number
  /** Of the picture of who owns what that it was staged with; null until it is complete. */
  revision: number | null
  unusable: number
}

/** Builds the writing side of the usage store over an engine. Inert until opened. */
export function createUsageStore(deps: UsageStoreDeps): UsageStore {
  const { engine } = deps
  let revision: number | null = null
  // The batch that was inserted in this process and that nobody has tried to roll yet.
  let unrolled: number | null = null
  const stages: (Staged | null)[] = STAGE_SLOTS.map(() => null)
  const formats = new Map<string, LineFormat>()
  const context: LoadContext = {
    engine,
    lateness: deps.lateness,
    geoVersion: deps.places.version,
    compile(spec) {
      const key = JSON.stringify(spec)
      const known = formats.get(key) ?? deps.compile(spec)
      formats.set(key, known)
      return known
    },
  }
  async function synchronise(): Promise<void> {
    const current = await deps.ownership.revision()
    if (current === revision) return
    await replaceAttribution(engine, await deps.ownership.attributions(), deps.directory)
    revision = current
  }
  async function stage(batch: Batch, files: readonly BatchFile[]): Promise<void> {
    const tagged = { ...context, engine: forBatch(engine, batch) }
    const known = stages.findIndex((staged) => staged?.batch === batch.id)
    // What an earlier attempt has started must not go on filling the stage.
    if (known !== -1) await waitForEarlierStatements(engine, batch)
    const slot = STAGE_SLOTS.find((at) => at === known) ?? STAGE_SLOTS.find((at) => !stages[at])
    assert(slot !== undefined, 'at most two batches are staged at a time')
    const staged: Staged = { batch: batch.id, revision: null, unusable: 0 }
    stages[slot] = staged
    const current = revision
    const table = stageTable(batch.meter, slot)
    await stageBatch(tagged, batch, table, files)
    staged.unusable = (await countStaged(engine, batch, table)).unusable
    staged.revision = current
  }
  function slotOf(batch: Batch): StageSlot | undefined {
    const isFit = (staged: Staged | null | undefined): boolean =>
      staged?.batch === batch.id && staged.revision !== null && staged.revision === revision
    return STAGE_SLOTS.find((slot) => isFit(stages[slot]))
  }
  return {
    async open() {
      await mkdir(deps.directory, { recursive: true })
      for (const table of TABLES) {
        for (const statement of renderCreate(table, engine.topology)) {
          await engine.command(statement)
        }
      }
      for (const name of METER_NAMES) {
        for (const statement of renderStages(METERS[name])) await engine.command(statement)
      }
      for (const statement of REFERENCE_STATEMENTS) await engine.command(statement)
      const { version, writePrefixes } = deps.places
      await installPlaces(engine, version, writePrefixes, deps.directory)
      await synchronise()
    },
    synchronise,
    async discard(batch) {
      await waitForEarlierStatements(engine, batch)
      await discard(forBatch(engine, batch), batch)
    },
    async stage(batch, files) {
      if (slotOf(batch) === undefined) await stage(batch, files)
    },
    async stageAhead(batch, files) {
      // Who owns what is taken up between batches only.
      if ((await deps.ownership.revision()) === revision) await stage(batch, files)
    },
    async insert(batch, files, onStep) {
      unrolled = null
      const slot = slotOf(batch)
      const staged = slot === undefined ? undefined : stages[slot]
      assert(slot !== undefined && staged, 'a batch is staged before it is inserted')
      const tagged = { ...context, engine: forBatch(engine, batch) }
      const from = { table: stageTable(batch.meter, slot), unusable: staged.unusable }
      try {
        const outcomes = await insert(tagged, batch, from, files, onStep)
        unrolled = batch.id
        return outcomes
      } finally {
        stages[slot] = null
      }
    },
    async roll(batch, onStep) {
      const isFirst = unrolled === batch.id
      unrolled = null
      if (!isFirst) await waitForEarlierStatements(engine, batch)
      await roll(forBatch(engine, batch), batch, onStep)
      if (!isFirst) await repairRollups(forBatch(engine, batch), batch)
    },
  }
}

async function discard(engine: Engine, batch: Batch): Promise<void> {
  for (const table of [`usage_${batch.meter}`, 'rejected']) {
    const [found] = await engine.rows<{ rows: string }>(
      `SELECT count() AS rows FROM ${table} AS t WHERE t.batch = ${batch.id}`,
    )
    if (found?.rows !== '0') await deleteRows(engine, table, `batch = ${batch.id}`)
  }
}

async function roll(
  engine: Engine,
  batch: Batch,
  onStep: Parameters<BatchStore['roll']>[1],
): Promise<void> {
  const meter = meterOf(batch)
  // As many at a time as sessions are free: one while the next batch is being parsed, else two.
  await allSettled(
    meter.rollups.map(async (rollup) => {
      await engine.command(renderRoll(meter, rollup, batch))
      onStep('roll.between')
    }),
  )
}

/** Waits for all, then fails as the first that failed did: nothing of it runs on meanwhile. */
async function allSettled(works: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(works)
  const failed = results.find((result) => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

async function insert(
  context: LoadContext,
  batch: Batch,
  stage: { readonly table: string; readonly unusable: number },
  files: readonly BatchFile[],
  onStep: Parameters<BatchStore['insert']>[2],
): Promise<FrameOutcome[]> {
  const { engine } = context
  await engine.command(renderInsertUsage(context, batch, stage.table))
  onStep('load.usage.after')
  if (stage.unusable > 0) {
    await engine.loadLines(
      (source) => renderInsertRejected(context, batch, stage.table, source),
      files,
    )
  }
  await insertOversize(engine, batch)
  onStep('load.rejected.after')
  await removeReplayed(engine, batch)
  return await countOutcomes(context, batch, {
    anyRejected: stage.unusable > 0 || batch.frames.some(({ oversize }) => oversize.length > 0),
  })
}

/**
 * Counts staged lines and those that are unusable.
 *
 * Errors: `internal` when a line of the batch is not there: nothing is inserted then.
 */
async function countStaged(
  engine: Engine,
  batch: Batch,
  table: string,
): Promise<{ unusable: number }> {
  const [found] = await engine.rows<{ lines: string; unusable: string }>(
    `SELECT sum(s.records) AS lines, countIf(s.reason != 0) AS unusable FROM ${table} AS s`,
  )
  const lines = Number(found?.lines ?? 0)
  const expected = batch.frames.reduce((sum, frame) => sum + frame.lines, 0)
  if (lines !== expected) {
    throw new AppError('internal', `Staged ${lines} of ${expected} lines of batch ${batch.id}.`)
  }
  return { unusable: Number(found?.unusable ?? 0) }
}

// A replayed line leaves `rejected` once its new frame is in; repeating this finds nothing left.
async function removeReplayed(engine: Engine, batch: Batch): Promise<void> {
  const replays = batch.frames.flatMap((frame) => frame.replays)
  if (replays.length === 0) return
  const keys = replays.map(({ frame, line }) => `(${frame}, ${line})`).join(', ')
  await deleteRows(engine, 'rejected', `(frame, line) IN (${keys})`)
}

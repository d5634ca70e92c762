import { mkdir } from 'node:fs/promises'
import { assert } from '../../core/errors.ts'
import type { Batch, FrameOutcome, LogSpec } from '../../ingest/batch.ts'
import type { BatchFile } from '../../ingest/batch-files.ts'
import type { BatchStore } from '../../ingest/loader.ts'
import type { LineFormat } from '../../meters/line-format.ts'
import { METERS, METER_NAMES, type Rollup } from '../../meters/meter.ts'
import { convergeTables } from './converge.ts'
import { deleteRows } from './delete-rows.ts'
import type { Engine } from './engine.ts'
import { forBatch, waitForEarlierStatements } from './fence.ts'
import {
  insertOversize,
  renderInsertRejected,
  renderInsertUsage,
  stageBatch,
  type LoadContext,
} from './load.ts'
import { countOutcomes, countStaged, type StagedCounts } from './outcomes.ts'
import {
  installPlaces,
  REFERENCE_STATEMENTS,
  replaceAttribution,
  type Attribution,
} from './reference.ts'
import { renderCreate } from './render.ts'
import { repairRollups } from './repair.ts'
import { renderRoll, renderRollStaged } from './roll.ts'
import {
  meterOf,
  renderStages,
  STAGE_SLOTS,
  stageTable,
  type Lateness,
  type StageSlot,
} from './stage.ts'
import { TABLES } from './tables.ts'
import { yieldMerges } from './yield-merges.ts'

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
  /**
   * Creates what is missing, tables and columns, and takes up reference data; safe to repeat.
   *
   * Errors: `config_invalid` for tables of another shape.
   */
  open(): Promise<void>
}

/** What a stage holds. */
interface Staged {
  readonly batch: number
  /** Of the picture of who owns what that it was staged with; null until it is complete. */
  revision: number | null
  counts: StagedCounts
}

/** Builds the writing side of the usage store over an engine. Inert until opened. */
export function createUsageStore(deps: UsageStoreDeps): UsageStore {
  const { engine } = deps
  let revision: number | null = null
  // The batch that was inserted in this process and that nobody has tried to roll yet.
  let unrolled: { readonly batch: number; readonly slot: StageSlot } | null = null
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
    const staged: Staged = {
      batch: batch.id,
      revision: null,
      counts: { unusable: 0, usable: new Map() },
    }
    stages[slot] = staged
    const current = revision
    const table = stageTable(batch.meter, slot)
    await stageBatch(tagged, batch, table, files)
    staged.counts = await countStaged(engine, batch, table)
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
      await convergeTables(engine, TABLES)
      // The engine starts the threads with the first table.
      if (engine.topology.kind === 'embedded') yieldMerges()
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
      const from = { table: stageTable(batch.meter, slot), counts: staged.counts }
      try {
        const outcomes = await insert(tagged, batch, from, files, onStep)
        unrolled = { batch: batch.id, slot }
        return outcomes
      } finally {
        // What is rolled next is still staged then.
        if (unrolled === null) stages[slot] = null
      }
    },
    async roll(batch, onStep) {
      const first = unrolled?.batch === batch.id ? unrolled : null
      unrolled = null
      const tagged = forBatch(engine, batch)
      if (first === null) await waitForEarlierStatements(engine, batch)
      try {
        await roll(
          tagged,
          batch,
          first === null ? null : stageTable(batch.meter, first.slot),
          onStep,
        )
      } finally {
        if (first !== null) stages[first.slot] = null
      }
      if (first === null) await repairRollups(tagged, batch)
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
  stage: string | null,
  onStep: Parameters<BatchStore['roll']>[1],
): Promise<void> {
  const meter = meterOf(batch)
  // Of records, some that are staged were there before; a log is staged as it was inserted.
  const render = (rollup: Rollup): string =>
    stage !== null && batch.reading.kind === 'log'
      ? renderRollStaged(meter, rollup, batch, stage)
      : renderRoll(meter, rollup, batch)
  // As many at a time as sessions are free: one while the next batch is being parsed, else two.
  await allSettled(
    meter.rollups.map(async (rollup) => {
      await engine.command(render(rollup))
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
  stage: { readonly table: string; readonly counts: StagedCounts },
  files: readonly BatchFile[],
  onStep: Parameters<BatchStore['insert']>[2],
): Promise<FrameOutcome[]> {
  const { engine } = context
  await engine.command(renderInsertUsage(context, batch, stage.table))
  onStep('load.usage.after')
  if (stage.counts.unusable > 0) {
    await engine.loadLines(
      (source) => renderInsertRejected(context, batch, stage.table, source),
      files,
    )
  }
  await insertOversize(engine, batch)
  onStep('load.rejected.after')
  await removeReplayed(engine, batch)
  return await countOutcomes(engine, batch, stage.counts)
}

// A replayed line leaves `rejected` once its new frame is in; repeating this finds nothing left.
async function removeReplayed(engine: Engine, batch: Batch): Promise<void> {
  const replays = batch.frames.flatMap((frame) => frame.replays)
  if (replays.length === 0) return
  const keys = replays.map(({ frame, line }) => `(${frame}, ${line})`).join(', ')
  await deleteRows(engine, 'rejected', `(frame, line) IN (${keys})`)
}

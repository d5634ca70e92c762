import { resolve } from 'node:path'
import { type CoverageReader, createCoverageReader } from './billing/coverage-reader.ts'
import type { Catalog } from './catalog/catalog.ts'
import { findRootAccount } from './catalog/change.ts'
import type { Source } from './catalog/model.ts'
import type { Component, Telemetry } from './compose.ts'
import type { Config } from './config/config.ts'
import type { Clock } from './core/clock.ts'
import { DAY_MS, MINUTE_MS } from './core/period.ts'
import { createPeriodic } from './core/periodic.ts'
import { createCoverageKeeper, type CoverageKeeper } from './ingest/coverage-keeper.ts'
import type { CoverageLog, Expectation } from './ingest/coverage-log.ts'
import { readTailedNames } from './sources/access-log/tail-memory.ts'
import type { ReadReport } from './sources/access-log/read-coverage.ts'
import type { ReportedCoverage } from './sources/usage-http/heartbeat.ts'
import { createCoverageStore } from './store/control/coverage.ts'
import type { ControlStore } from './store/control/control-store.ts'
import type { Engine } from './store/usage/engine.ts'
import { createSourceSlots } from './store/usage/source-slots.ts'

/** Completeness: what notes it, and what tells it. */
export interface CoverageParts {
  readonly reader: CoverageReader
  /** Takes notes; starts before whatever takes usage in. */
  readonly keeper: CoverageKeeper
  /** Keeps what is expected of sources up to date, and the metric of what is missing. */
  readonly watch: Component
  /** Where usage over HTTP notes how complete it is. */
  readonly reported: ReportedCoverage
  /** Where the follower of a source's logs says how completely it read them. */
  reportOf(source: string): ReadReport
  /** The account that pays. Errors: `not_found`. */
  accountOf(ref: string): Promise<{ readonly id: string; readonly zone: string }>
}

interface Parts extends Telemetry {
  readonly config: Config
  readonly clock: Clock
  readonly control: ControlStore
  readonly catalog: Catalog
  readonly engine: Engine
}

/** How often expectations are compared with the catalog and the configuration. */
const WATCH_MS = 5 * MINUTE_MS

/** Wires completeness. Inert until its components are started. */
export function openCoverage(parts: Parts): CoverageParts {
  const { clock, control, catalog, engine, log } = parts
  const store = createCoverageStore(control.db)
  const reader = createCoverageReader({ records: store, slots: createSourceSlots(engine) })
  const keeper = createCoverageKeeper({
    log: store,
    clock,
    onError: (error) => log.warn({ err: error }, 'coverage: not written yet; it is tried again'),
  })
  return {
    reader,
    keeper,
    watch: createPeriodic(
      'coverage-watch',
      WATCH_MS,
      () => watch(parts, store, reader),
      (error) => log.warn({ err: error }, 'coverage: sources could not be looked through'),
    ),
    reported: {
      clock,
      beat: (source, span) => keeper.beat(source, span),
      through: (source, throughMs) => keeper.through(source, throughMs),
      number: (request) => keeper.number(request),
    },
    reportOf: (source) => ({
      complete: (span) => keeper.beat(source, span),
      lost: async (part) => {
        await keeper.lost({ source, ...part })
        log.warn({ source, ...part }, 'a part of a log file is gone that was not read')
      },
    }),
    accountOf: (ref) => findRootAccount(catalog.rows, ref),
  }
}

async function watch(parts: Parts, store: CoverageLog, reader: CoverageReader): Promise<void> {
  const { config, clock, catalog, metrics } = parts
  if (config.roles.includes('ingest')) {
    await store.noteExpectations('config', await expectedLogs(config), clock.nowMs())
  }
  if (!config.roles.includes('worker')) return
  await store.noteExpectations('catalog', await expectedSenders(catalog), clock.nowMs())
  const nowMs = clock.nowMs()
  const interval = { startMs: nowMs - DAY_MS, endMs: nowMs }
  const sources = await reader.sources({ interval, asOfMs: nowMs })
  metrics.setMissingSlots(
    new Map(sources.map((one) => [one.source, one.expectedSlots - one.receivedSlots])),
  )
}

/** Configured logs; one that was followed from here and is not configured any more is retired. */
async function expectedLogs({ sources, data }: Config): Promise<ReadonlyMap<string, Expectation>> {
  const before = await readTailedNames(resolve(data.directory, 'tail'))
  return new Map<string, Expectation>([
    ...before.map((name) => [name, 'retired'] as const),
    ...sources.map(({ name, expects }) => [name, expects] as const),
  ])
}

async function expectedSenders({ rows }: Catalog): Promise<ReadonlyMap<string, Expectation>> {
  const expected = new Map<string, Expectation>()
  let cursor: string | null = null
  do {
    const page: { readonly items: readonly Source[]; readonly nextCursor: string | null } =
      await rows.sources.list({}, { limit: 1000, cursor })
    for (const { name, active, expects } of page.items) {
      expected.set(name, active ? expects : 'retired')
    }
    cursor = page.nextCursor
  } while (cursor !== null)
  return expected
}

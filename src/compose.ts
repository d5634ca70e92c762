import { mkdir } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { createAlertUsage } from './billing/alert-usage.ts'
import { type Alerts, createAlerts } from './billing/alerts.ts'
import { ledgerRules } from './billing/ledger-rules.ts'
import type { BooksUsage, RankedUsage, UsageOrigin } from './billing/books-usage.ts'
import { createCatalog, type Catalog } from './catalog/catalog.ts'
import { openBookkeeping, type Bookkeeping } from './compose-books.ts'
import { type Charges, openCharges } from './compose-charges.ts'
import { type CoverageParts, openCoverage } from './compose-coverage.ts'
import type { Config } from './config/config.ts'
import { readMailServer } from './config/mail-server.ts'
import { systemClock, type Clock } from './core/clock.ts'
import { DAY_MS } from './core/period.ts'
import { createPeriodic } from './core/periodic.ts'
import { geoVersion, writeGeoPrefixes } from './geo/geo.ts'
import type { Batch, FrameOutcome } from './ingest/batch.ts'
import { FREE_BYTES_MIN } from './ingest/disk-room.ts'
import { createIngest, type Ingest } from './ingest/ingest.ts'
import { Journal } from './ingest/journal.ts'
import { Loader } from './ingest/loader.ts'
import type { IngestRegistry } from './ingest/registry.ts'
import { createReplay } from './ingest/replay.ts'
import type { StepListener } from './ingest/steps.ts'
import { compileFormat } from './sources/access-log/format.ts'
import { walkAuditLog } from './store/control/audit-log.ts'
import { walkBooks } from './store/control/book-audit.ts'
import type { BooksReader } from './api/operations/ports.ts'
import { createAddressBooks } from './store/control/books.ts'
import { openControlStore, type ControlStore } from './store/control/control-store.ts'
import { createLedger, type Ledger } from './store/control/ledger.ts'
import { createIngestRegistry } from './store/control/ingest-registry.ts'
import { openMasterKeyFile } from './store/control/master-key.ts'
import { auditUsage } from './store/usage/audit.ts'
import { createBooksReader } from './store/usage/books-reader.ts'
import type { Engine } from './store/usage/engine.ts'
import { isUrl, openEngine } from './store/usage/open.ts'
import { createUsageReader } from './store/usage/reader.ts'
import { listRejected } from './store/usage/rejects.ts'
import { createUsageStore } from './store/usage/usage-store.ts'
import type { Logger } from './telemetry/log.ts'
import type { Metrics } from './telemetry/metrics.ts'

/** A part with a life: inert until started, quiet once stopped. */
export interface Component {
  readonly name: string
  start(): Promise<void>
  stop(): Promise<void>
}

/** Where the parts report to. */
export interface Telemetry {
  readonly log: Logger
  readonly metrics: Metrics
}

export interface ComposeOptions {
  readonly clock?: Clock
  /** Watches the pipeline; crash tests end the process here. */
  readonly onStep?: StepListener
}

/** The stores and the pipeline between them, opened and wired; nothing runs yet. */
export interface Core {
  readonly clock: Clock
  readonly control: ControlStore
  readonly catalog: Catalog
  /** What was closed of elastic IPs. */
  readonly books: BooksReader
  /** Closing, bills and balances. */
  readonly bookkeeping: Bookkeeping
  /** What sources were expected to report, and what they did. */
  readonly coverage: CoverageParts
  readonly charges: Charges
  readonly ledger: Ledger
  readonly registry: IngestRegistry
  readonly engine: Engine
  readonly reader: ReturnType<typeof createUsageReader>
  readonly booksUsage: BooksUsage & RankedUsage & UsageOrigin
  readonly journal: Journal
  readonly loader: Loader
  readonly ingest: Ingest
  readonly replay: ReturnType<typeof createReplay>
  /** What runs by itself: closing billing days, forgetting old outcomes. */
  readonly upkeep: readonly Component[]
  readonly audit: () => ReturnType<typeof auditUsage>
  /** Calls back after each load, with the accounts whose usage changed. */
  onLoaded(listener: (accounts: readonly string[]) => void): void
  close(): Promise<void>
}

/** How long outcomes of frames and keys of requests are remembered beyond the late window. */
const REMEMBER_MS = DAY_MS

/**
 * Opens both stores and the journal, and wires the pipeline.
 *
 * Errors: `config_invalid` when a store cannot be opened; what was opened before is closed again.
 */
export async function openCore(
  config: Config,
  { log, metrics }: Telemetry,
  options: ComposeOptions = {},
): Promise<Core> {
  const clock = options.clock ?? systemClock
  const onStep = options.onStep ?? (() => undefined)
  const opened: (() => Promise<void>)[] = []
  try {
    await makeDirectories(config)
    const control = await openControlStore(config.controlStore.location, {
      clock,
      masterKeys: openMasterKeyFile(config.secrets.masterKeyFile),
      onIdleError: (error) => log.warn({ err: error }, 'control store: a connection was lost'),
    })
    opened.push(() => control.close())
    const engine = await openEngine(
      {
        location: isUrl(config.usageStore.location)
          ? config.usageStore.location
          : resolve(config.usageStore.location),
        cluster: config.usageStore.cluster ?? null,
        queryConnections: config.usageStore.queryConnections,
        requestTimeoutMs: config.usageStore.requestTimeout,
      },
      (code) => metrics.countStoreError('usage', code),
    )
    opened.push(() => engine.close())
    const { bytesMax, segmentBytes } = config.ingest.journal
    const directory = resolve(config.ingest.journal.directory)
    // A batch of small requests is joined into one file beside them while it is loaded.
    const freeBytesMin = FREE_BYTES_MIN + config.ingest.batch.bytesMax
    const journal = new Journal(
      { directory, bytesMax, segmentBytes, freeBytesMin },
      { clock, onStep, log },
    )
    await journal.open()
    opened.push(() => journal.close())
    return await wire({ config, log, metrics, clock, onStep, control, engine, journal }, opened)
  } catch (error) {
    for (const close of opened.toReversed()) await close()
    throw error
  }
}

async function makeDirectories(config: Config): Promise<void> {
  await mkdir(config.data.directory, { recursive: true })
  await mkdir(dirname(config.secrets.masterKeyFile), { recursive: true })
  if (!isUrl(config.usageStore.location)) {
    await mkdir(dirname(config.usageStore.location), { recursive: true })
  }
}

interface Parts extends Telemetry {
  readonly config: Config
  readonly clock: Clock
  readonly onStep: StepListener
  readonly control: ControlStore
  readonly engine: Engine
  readonly journal: Journal
}

async function wire(parts: Parts, opened: readonly (() => Promise<void>)[]): Promise<Core> {
  const { config, log, metrics, clock, onStep, control, engine, journal } = parts
  const catalog = createCatalog(control.catalog, { clock })
  await catalog.ensureDefaults()
  const registry = createIngestRegistry(control.db, clock)
  const charges = await wireCharges(parts)
  const ledger = createLedger(control.db, { rules: ledgerRules, clock })
  const reader = createUsageReader(engine)
  const booksUsage = createBooksReader(engine)
  const ingest = createIngest({ journal, registry, clock, onStep })
  const listeners: ((accounts: readonly string[]) => void)[] = []
  const loader = await wireLoader(parts, registry, (outcomes) => {
    ingest.onLoaded(outcomes)
    const accounts = [...new Set(outcomes.flatMap((outcome) => outcome.accounts))]
    for (const listener of listeners) listener(accounts)
  })
  const coverage = openCoverage({ ...parts, catalog })
  const bookkeeping = openBookkeeping({
    ...parts,
    ledger,
    usage: booksUsage,
    modes: charges.desk,
    loader,
    coverage: coverage.reader,
  })
  const alerts = wireAlerts(parts, { catalog, bookkeeping, booksUsage })
  listeners.push(() => bookkeeping.live.forget())
  listeners.push((accounts) => alerts.usageLoaded(accounts))
  return {
    clock,
    control,
    catalog,
    books: createAddressBooks(control.db),
    bookkeeping,
    coverage,
    charges,
    ledger,
    registry,
    engine,
    reader,
    booksUsage,
    journal,
    loader,
    ingest,
    replay: createReplay({
      ingest,
      lastFrame: () => journal.lastSeq,
      waiting: () => journal.replaysWaiting(),
      onlyAccount: async (name) => (await catalog.rows.sources.find({ name }))?.accountId ?? null,
      list: (filter, page) => listRejected(engine, filter, page),
    }),
    upkeep: [
      bookkeeping.closer,
      alerts,
      createPeriodic(
        'pruning',
        DAY_MS / 4,
        () => registry.prune(clock.nowMs() - config.ingest.late - REMEMBER_MS),
        (error) => log.error({ err: error }, 'ingest: forgetting old outcomes failed'),
      ),
    ],
    audit: async () => {
      const usage = await auditUsage(engine, await registry.totals())
      const chains = await ledger.audit()
      const changes = await walkAuditLog(control.db)
      const kept = await walkBooks(control.db)
      const walks = [usage, chains, changes, kept]
      const findings = walks.flatMap((walk) => walk.findings)
      metrics.setAuditFindings(findings.length)
      return { checks: walks.reduce((sum, walk) => sum + walk.checks, 0), findings }
    },
    onLoaded: (listener) => listeners.push(listener),
    async close() {
      for (const close of opened.toReversed()) await close()
    },
  }
}

function wireAlerts(
  { config, clock, log, control }: Parts,
  { catalog, bookkeeping, booksUsage }: Pick<Core, 'catalog' | 'bookkeeping' | 'booksUsage'>,
): Alerts {
  return createAlerts(
    { mail: readMailServer(config) },
    {
      clock,
      log,
      store: control.alerts,
      outbox: control.alertOutbox,
      balance: (key) => bookkeeping.live.balance(key),
      usage: createAlertUsage(booksUsage),
      account: (id) => catalog.rows.accounts.get(id),
    },
  )
}

function wireCharges({ config, control, clock }: Parts): Promise<Charges> {
  const { rules, chargeTypes } = config.billing
  return openCharges({ defaults: rules, chargeTypes }, { control, clock })
}

async function wireLoader(
  parts: Parts,
  registry: IngestRegistry,
  onLoaded: (outcomes: readonly FrameOutcome[]) => void,
): Promise<Loader> {
  const { config, log, metrics, clock, onStep, control, engine, journal } = parts
  const usage = createUsageStore({
    engine,
    lateness: { lateMsMax: config.ingest.late, skewMsMax: config.ingest.skew },
    // Absolute, because the engine has a working directory of its own.
    directory: resolve(config.data.directory, 'work'),
    places: { version: geoVersion(), writePrefixes: writeGeoPrefixes },
    compile: compileFormat,
    ownership: control,
  })
  await usage.open()
  const loader = new Loader(loaderConfig(config), {
    journal,
    store: usage,
    checkpointer: registry,
    clock,
    onStep,
    log,
    onLoaded(batch, outcomes, seconds) {
      onLoaded(outcomes)
      reportBatch(parts, batch, outcomes, seconds)
    },
  })
  metrics.watch({
    journalBytes: () => journal.pendingBytes,
    journalFrames: () => journal.pending().length,
    loaderHealthy: () => loader.healthy,
  })
  return loader
}

function loaderConfig(config: Config): ConstructorParameters<typeof Loader>[0] {
  const directory = resolve(config.ingest.journal.directory)
  const { bytesMax, linesMax, framesMax } = config.ingest.batch
  return {
    directory,
    batchBytesMax: bytesMax,
    batchLinesMax: linesMax,
    batchFramesMax: framesMax,
    retryMs: config.ingest.retry,
  }
}

function reportBatch(
  { log, metrics }: Telemetry,
  batch: Batch,
  outcomes: readonly FrameOutcome[],
  seconds: number,
): void {
  const sourceOf = new Map(batch.frames.map((frame) => [frame.seq, frame.source]))
  const total = { lines: 0, accepted: 0, duplicate: 0 }
  for (const { seq, lines, accepted, duplicate, rejected } of outcomes) {
    const source = sourceOf.get(seq) ?? ''
    total.lines += lines
    total.accepted += accepted
    total.duplicate += duplicate
    metrics.countRecords({ source, outcome: 'accepted', reason: '' }, accepted)
    metrics.countRecords({ source, outcome: 'duplicate', reason: '' }, duplicate)
    for (const [reason, count] of Object.entries(rejected)) {
      metrics.countRecords({ source, outcome: 'rejected', reason }, count)
    }
  }
  metrics.observeLoad(batch.meter, seconds, total.lines)
  const { id, meter, frames } = batch
  log.info({ batch: id, meter, frames: frames.length, ...total, seconds }, 'loader: batch loaded')
}

import { createBillDesk } from './billing/create-desk.ts'
import type { BillDesk } from './billing/bill-desk.ts'
import type { BooksUsage, RankedUsage } from './billing/books-usage.ts'
import type { ChargeModes } from './billing/charge-modes.ts'
import type { CoverageReader } from './billing/coverage-reader.ts'
import { createClosing } from './billing/closing.ts'
import type { ClosingDeps } from './billing/closing-deps.ts'
import { formatState, parseAdjustment, parseDay, parseState } from './billing/day-record.ts'
import { createCurrentBooks, type CurrentBooks } from './billing/current-book.ts'
import { createLiveBalance, type LiveBalance } from './billing/live-balance.ts'
import type { Component, Telemetry } from './compose.ts'
import type { Config } from './config/config.ts'
import type { Clock } from './core/clock.ts'
import { MINUTE_MS } from './core/period.ts'
import { createPeriodic } from './core/periodic.ts'
import type { Loader } from './ingest/loader.ts'
import { termsOf } from './rating/package-terms.ts'
import { createBookStore } from './store/control/book-store.ts'
import type { ControlStore } from './store/control/control-store.ts'
import type { Ledger } from './store/control/ledger.ts'

/** How often it is looked whether a day has settled. */
const CHECK_MS = 5 * MINUTE_MS

/** Closing, bills and balances. */
export interface Bookkeeping {
  readonly desk: BillDesk
  readonly live: LiveBalance
  /** Books with late usage in them that waits for its adjustment. */
  readonly currentBooks: CurrentBooks
  readonly store: ClosingDeps['store']
  /** Closes what has settled, every few minutes. */
  readonly closer: Component
}

interface BookkeepingParts extends Telemetry {
  readonly config: Config
  readonly clock: Clock
  readonly control: ControlStore
  readonly ledger: Ledger
  readonly usage: BooksUsage & RankedUsage
  readonly modes: ChargeModes
  readonly loader: Loader
  readonly coverage: CoverageReader
}

/** Wires closing, bills and balances. */
export function openBookkeeping(parts: BookkeepingParts): Bookkeeping {
  const { config, clock, log, metrics, control, ledger, usage, modes, loader, coverage } = parts
  const format = { parseDay, parseAdjustment, parseState, formatState, termsOf }
  const store = createBookStore(control.db, { ledger, clock, format })
  const deps: ClosingDeps = {
    clock,
    store,
    usage,
    modes,
    coverage: (query) => coverage.coverage({ ...query, asOfMs: clock.nowMs() }),
    between: (work) => loader.between(work),
    onStep: () => undefined,
    onFailed: (key, error) =>
      log.error({ err: error, ...key }, 'billing: a book could not be closed; the others were'),
    onRebuilt: (tables, day) =>
      log.warn({ tables, ...day }, 'billing: rollups differed from usage and were rebuilt'),
  }
  const closingConfig = {
    settleMs: config.billing.settle,
    lateMs: config.ingest.late,
    tzdata: process.versions['tz'] ?? 'unknown',
  }
  const closing = createClosing(closingConfig, deps)
  const closeSettled = async (): Promise<void> => {
    const report = await closing.closeSettled()
    metrics.countClosedDays(report.days)
    if (report.days + report.adjustments + report.bills.length > 0) {
      log.info(report, 'billing: closed what had settled')
    }
  }
  const closer = createPeriodic('daily-close', CHECK_MS, closeSettled, (error) =>
    log.error({ err: error }, 'billing: closing failed; trying again in five minutes'),
  )
  const currentBooks = createCurrentBooks(closingConfig, {
    ...deps,
    begin: (key) => closing.begin(key),
  })
  return {
    desk: createBillDesk(closing, deps),
    live: createLiveBalance(closingConfig, { clock, modes, currentBooks }),
    currentBooks,
    store,
    closer: startLater(closer),
  }
}

/**
 * Lets a first round of checks pass before anything is closed: after a rest, senders still hold
 * usage of days that have settled meanwhile, and logs are still to be caught up with.
 */
function startLater(task: Component): Component {
  let timer: NodeJS.Timeout | undefined
  return {
    name: task.name,
    start: async () => {
      timer = setTimeout(() => void task.start(), CHECK_MS)
      timer.unref()
    },
    stop: async () => {
      clearTimeout(timer)
      await task.stop()
    },
  }
}

import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBillDesk } from '../../src/billing/create-desk.ts'
import { createClosing } from '../../src/billing/closing.ts'
import type { ClosingDeps } from '../../src/billing/closing-deps.ts'
import type { BookKey, Coverage } from '../../src/billing/book.ts'
import { createCurrentBooks } from '../../src/billing/current-book.ts'
import { formatState, parseAdjustment, parseDay, parseState } from '../../src/billing/day-record.ts'
import { ledgerRules } from '../../src/billing/ledger-rules.ts'
import { createLiveBalance } from '../../src/billing/live-balance.ts'
import { createCatalog } from '../../src/catalog/catalog.ts'
import { DAY_MS, HOUR_MS } from '../../src/core/period.ts'
import { termsOf } from '../../src/rating/package-terms.ts'
import { createBookStore } from '../../src/store/control/book-store.ts'
import { openControlStore } from '../../src/store/control/control-store.ts'
import { createLedger } from '../../src/store/control/ledger.ts'
import { createMasterKeys } from '../../src/store/control/master-key.ts'
import { openTestCharges } from './charges.ts'
import { fakeClock } from './fakes.ts'
import { createMemoryUsage, type MemoryRow } from './memory-usage.ts'

export const SETTLE_MS = 12 * HOUR_MS

/**
 * Books over a real control store and usage in a list.
 *
 * Shape: several nodes are several harnesses on one `location` and one list of rows.
 */
export async function openBooksHarness(
  nowMs: number,
  location?: string,
  options: { readonly onStep?: ClosingDeps['onStep']; readonly rows?: MemoryRow[] } = {},
) {
  const directory = location === undefined ? await mkdtemp(join(tmpdir(), 'weir-books-')) : null
  const clock = fakeClock(nowMs)
  const rows = options.rows ?? []
  const control = await openControlStore(location ?? join(directory ?? '', 'control.db'), {
    clock,
    masterKeys: createMasterKeys([randomBytes(32).toString('base64')]),
  })
  const catalog = createCatalog(control.catalog, { clock })
  await catalog.ensureDefaults()
  const charges = await openTestCharges(control, clock)
  const ledger = createLedger(control.db, { rules: ledgerRules, clock })
  const format = { parseDay, parseAdjustment, parseState, formatState, termsOf }
  const openStore = (db: typeof control.db) => createBookStore(db, { ledger, clock, format })
  const store = openStore(control.db)
  const usage = createMemoryUsage(rows)
  const deps: ClosingDeps = {
    clock,
    store,
    usage,
    modes: charges.desk,
    coverage: async () => new Map<string, Coverage>(),
    between: (work) => work(),
    onStep: options.onStep ?? (() => undefined),
    onRebuilt: () => undefined,
    onFailed: () => undefined,
  }
  const config = { settleMs: SETTLE_MS, lateMs: 35 * DAY_MS, tzdata: 'test' }
  const closing = createClosing(config, deps)
  const desk = createBillDesk(closing, deps)
  const openLive = (kept = store) => {
    const begin = (key: BookKey) => closing.begin(key)
    const currentBooks = createCurrentBooks(config, { ...deps, store: kept, begin })
    const currentBook = (key: BookKey) => currentBooks.read(key)
    return { currentBook, live: createLiveBalance(config, { ...deps, currentBooks }) }
  }
  return {
    clock,
    rows,
    control,
    catalog,
    charges,
    ledger,
    store,
    usage,
    closing,
    desk,
    ...openLive(),
    /** Balances as another node reads them, from another store. */
    openLive,
    config,
    deps,
    openStore,
    async close() {
      await control.close()
      if (directory !== null) await rm(directory, { recursive: true, force: true })
    },
  }
}

export type BooksHarness = Awaited<ReturnType<typeof openBooksHarness>>

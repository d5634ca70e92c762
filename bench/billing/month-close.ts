import type { Book } from '../../src/billing/book-keeping.ts'
import { type DayRecord, formatRecord } from '../../src/billing/day-record.ts'
import { dayName } from '../../src/billing/period-names.ts'
import { formatInstant } from '../../src/catalog/versions.ts'
import type { Core } from '../../src/compose.ts'
import { chunksOf } from '../../src/core/chunks.ts'
import { addDays, HOUR_MS, localDays, monthOf } from '../../src/core/period.ts'
import type { Figure } from '../support/figure.ts'
import { startStopwatch } from '../support/stopwatch.ts'
import { openWeir, startClock } from '../support/weir.ts'
import { accountId, fillAccounts } from './many-accounts.ts'
import { ZONE } from './world.ts'

const ACCOUNTS = 10_000
const SECONDS_MAX = 60
/** Books that one transaction takes a day of, as closing does. */
const STEPS = 100

/** October 2026 in Shanghai. */
const MONTH = monthOf(Date.UTC(2026, 9, 15), ZONE)
const DAYS = localDays(MONTH, ZONE)
/** A row for each hour: a month is closed from its days, and reads usage only for its proof. */
const FILLING = {
  accounts: ACCOUNTS,
  domainsPerAccount: 1,
  startMs: MONTH.startMs,
  loads: DAYS.length,
  rowsPerLoad: 24,
  rowSeconds: 3600,
}

/** Closes a month of many accounts: their bills. */
export async function monthClose(
  directory: string,
  say: (text: string) => void,
): Promise<Figure[]> {
  const secondDay = DAYS[1]?.startMs ?? MONTH.endMs
  const clock = startClock(secondDay + HOUR_MS)
  const core = await openWeir(directory, clock)
  try {
    say(`a month of ${ACCOUNTS} accounts`)
    await fillAccounts(core, FILLING)
    const { desk } = core.bookkeeping
    await desk.close({ meter: 'cdn', untilMs: secondDay })
    say('their first day is closed')
    for (const day of DAYS.slice(1)) await repeatDay(core, day.startMs)
    say('all days are closed')
    clock.setMs(MONTH.endMs + HOUR_MS)
    const watch = startStopwatch()
    const report = await desk.close({ meter: 'cdn', untilMs: MONTH.endMs })
    const closed = watch.read()
    if (report.days > 0 || report.bills.length !== ACCOUNTS || report.rebuilt.length > 0) {
      throw new Error(`closed ${report.days} days, wrote ${report.bills.length} bills`)
    }
    await checkBill(core)
    return [
      {
        name: `month close, ${ACCOUNTS.toLocaleString('en-US')} accounts`,
        value: closed.seconds,
        unit: 's',
        goal: { atMost: SECONDS_MAX },
        note: `${(ACCOUNTS * DAYS.length).toLocaleString('en-US')} closed days; ${closed.cpuSeconds.toFixed(1)} s of processor`,
      },
    ]
  } finally {
    await core.stop()
  }
}

/**
 * Closes a day of all books as the day before it was closed.
 *
 * Closing all of them by themselves would take ten minutes and leave the same behind, but for the
 * figures.
 */
async function repeatDay({ bookkeeping: { store } }: Core, startMs: number): Promise<void> {
  const ids = Array.from({ length: ACCOUNTS }, (_, index) => accountId(index))
  const before = { startMs: addDays(startMs, -1, ZONE), endMs: startMs }
  for (const some of chunksOf(ids, STEPS)) {
    const books = await store.books('cdn', some)
    const steps = []
    for (const book of books) {
      const [kept] = await store.dayRecords(book, before)
      if (kept === undefined) throw new Error(`${book.accountId} has no day before`)
      steps.push(stepOf(book, kept.record))
    }
    await store.take(steps)
  }
}

function stepOf(book: Book, last: DayRecord) {
  const endMs = addDays(book.closedUntilMs, 1, ZONE)
  const record: DayRecord = {
    ...last,
    date: dayName(book.closedUntilMs, ZONE),
    start: formatInstant(book.closedUntilMs),
    end: formatInstant(endMs),
    settled: formatInstant(endMs),
    packageLines: [],
  }
  return {
    book,
    record: { kind: 'day' as const, record },
    text: formatRecord(record, book.hash),
    state: book.state,
    closedUntilMs: endMs,
    billedUntilMs: book.billedUntilMs,
    postings: [],
    addresses: [],
    lateMark: null,
  }
}

/** A bill must have the lines of all its days. */
async function checkBill({ bookkeeping: { store } }: Core): Promise<void> {
  const key = { accountId: accountId(1), meter: 'cdn' as const }
  const stored = await store.billOf(key, dayName(MONTH.startMs, ZONE).slice(0, 7))
  const [day] = await store.dayRecords(key, MONTH)
  const expected = (day?.record.lines.length ?? 0) * DAYS.length
  if (stored === undefined || expected === 0 || stored.bill.lines.length !== expected) {
    throw new Error(`a bill has ${stored?.bill.lines.length ?? 'no'} lines instead of ${expected}`)
  }
}

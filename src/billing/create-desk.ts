import type { BillDesk, ClosedDayEntry } from './bill-desk.ts'
import type { BookKey } from './book.ts'
import { NOTHING_MEASURED } from './close-month.ts'
import type { Closing } from './closing.ts'
import type { ClosingDeps } from './closing-deps.ts'
import { sumDraws } from './day-record.ts'
import { verifyBill } from './verify-bill.ts'

/** Makes the desk over the kept books. */
export function createBillDesk(
  closing: Pick<Closing, 'close'>,
  deps: Pick<ClosingDeps, 'store' | 'usage' | 'modes'>,
): BillDesk {
  const { store } = deps
  return {
    list: (filter, page) => store.listBills(filter, page),
    async get(id) {
      const found = await store.bill(id)
      return found && { bill: found.bill, hash: found.hash, closedMs: found.closedMs }
    },
    days: (key, interval) => listDays(key, interval, store),
    verify: (id) => verifyBill(id, deps),
    close: (request) => closing.close(request),
  }
}

async function listDays(
  { accountId, meter }: BookKey,
  interval: { readonly startMs: number; readonly endMs: number },
  store: ClosingDeps['store'],
): Promise<ClosedDayEntry[]> {
  const key = { accountId, meter }
  const days = await store.dayRecords(key, interval)
  const adjusted = new Set(
    (await store.adjustments(key, interval)).map(({ record }) => record.date),
  )
  return days.map(({ record, hash }) => ({
    ...key,
    startMs: Date.parse(record.start),
    endMs: Date.parse(record.end),
    state: adjusted.has(record.date) ? 'adjusted' : 'closed',
    hash,
    packName: record.pack.name,
    lines: record.lines,
    draws: sumDraws([record]),
    proof: record.proof ?? NOTHING_MEASURED,
    coverage: record.coverage,
  }))
}

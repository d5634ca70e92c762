import type { MeterName } from '../catalog/model.ts'
import { newId } from '../core/ids.ts'
import type { BookKey } from './book.ts'
import type { ChargeConfig, ChargeDeskDeps } from './charge-desk.ts'
import { type BookStart, type ChargeMode, inOrder, modeAt } from './charge-modes.ts'
import type { ChargeRows } from './charge-store.ts'

/** From so many books on, one look at all histories is cheaper than one at each. */
const MANY_BOOKS = 50

/** Finds the books that nothing bills at their start. */
export async function findLacking(
  rows: ChargeRows,
  books: readonly BookStart[],
): Promise<readonly BookStart[]> {
  const historyOf = await readThese(rows, books)
  return books.filter((book) => modeAt(historyOf(book), book.fromMs) === undefined)
}

/**
 * Writes the first modes of books that still lack one: the first mode there is reaches back to the
 * start of its book; where there is none, the default of the configuration does.
 */
export async function fillFirst(
  books: readonly BookStart[],
  charge: ChargeRows,
  config: Pick<ChargeConfig, 'defaults'>,
  { packs, clock }: Pick<ChargeDeskDeps, 'packs' | 'clock'>,
): Promise<void> {
  const hashes = new Map<MeterName, string>()
  const defaultHash = async (meter: MeterName): Promise<string> => {
    const found = hashes.get(meter)
    if (found !== undefined) return found
    const known = await packs.find(config.defaults[meter], charge)
    await packs.keep(known, charge)
    hashes.set(meter, known.hash)
    return known.hash
  }
  const historyOf = await readThese(charge, books)
  const modes: ChargeMode[] = []
  for (const { accountId, meter, fromMs } of books) {
    const history = historyOf({ accountId, meter })
    if (modeAt(history, fromMs) !== undefined) continue
    const first = modeAt(history, history[0]?.fromMs ?? fromMs)
    modes.push({
      id: newId('mode', 12),
      accountId,
      meter,
      fromMs,
      requestedMs: clock.nowMs(),
      packHash: first?.packHash ?? (await defaultHash(meter)),
      groups: first?.groups ?? {},
      actor: 'default',
    })
  }
  await charge.insertModes(modes)
}

/** Reads the history of every book of a meter, by account. */
export async function readHistories(
  rows: ChargeRows,
  meter: MeterName,
): Promise<ReadonlyMap<string, readonly ChargeMode[]>> {
  const histories = new Map<string, ChargeMode[]>()
  for (const mode of inOrder(await rows.modesOfMeter(meter))) {
    const own = histories.get(mode.accountId)
    if (own === undefined) histories.set(mode.accountId, [mode])
    else own.push(mode)
  }
  return histories
}

type HistoryOf = (book: BookKey) => readonly ChargeMode[]

/** Reads the histories of these books. */
async function readThese(rows: ChargeRows, books: readonly BookKey[]): Promise<HistoryOf> {
  const found = new Map<string, readonly ChargeMode[]>()
  const keyOf = ({ accountId, meter }: BookKey): string => `${meter} ${accountId}`
  if (books.length < MANY_BOOKS) {
    for (const book of books) found.set(keyOf(book), inOrder(await rows.modes(book)))
  } else {
    for (const meter of new Set(books.map((book) => book.meter))) {
      for (const [accountId, history] of await readHistories(rows, meter)) {
        found.set(keyOf({ accountId, meter }), history)
      }
    }
  }
  return (book) => found.get(keyOf(book)) ?? []
}

/**
 * What records of a book move in the ledger. Every posting has a key made of the record it belongs
 * to, so that closing again posts nothing twice.
 */
import type { EpochMs } from '../core/clock.ts'
import type { Bytes } from '../core/units.ts'
import type { BillLine, PackageBillLine } from './bill.ts'
import { amountOf, totalsByCurrency } from './charge-line.ts'
import type { AdjustmentRecord, DayRecord } from './day-record.ts'
import { boughtAhead } from './package-events.ts'
import type { Leg, LedgerAccount, Posting } from './ledger.ts'

type Drawn = Pick<
  DayRecord | AdjustmentRecord,
  'accountId' | 'meter' | 'draws' | 'absorptions' | 'orders'
>

/** Lists the postings of a closed day, in the order in which they must be made. */
export function dayPostings(record: DayRecord): Posting[] {
  const atMs = Date.parse(record.start)
  const key = `${record.meter}:day:${record.date}`
  return [
    ...packagePostings(record),
    ...drawPostings(record, key, atMs, 'day-close'),
    ...moneyPostings(record.accountId, `${key}:charge`, atMs, 'day-charge', record.lines),
    ...record.expired.flatMap(({ packageId, bytes }) =>
      posting(record.accountId, `expire:${packageId}`, atMs, 'bytes', 'package-expiry', [
        ['expired', bytes],
        [`package:${packageId}`, -bytes],
      ]),
    ),
  ]
}

/** Lists the postings of an adjustment. */
export function adjustmentPostings(record: AdjustmentRecord): Posting[] {
  const atMs = Date.parse(record.start)
  const key = `${record.meter}:adjust:${record.date}:${record.proof.throughBatch}`
  return [
    ...drawPostings(record, key, atMs, 'late-usage'),
    ...moneyPostings(record.accountId, `${key}:charge`, atMs, 'late-charge', record.lines),
  ]
}

/** Lists the postings of what a month's end adds: the lines that waited for it. */
export function monthPostings(
  { accountId, meter }: { readonly accountId: string; readonly meter: string },
  month: string,
  startMs: EpochMs,
  lines: readonly BillLine[],
): Posting[] {
  const key = `${meter}:month:${month}:charge`
  return moneyPostings(accountId, key, startMs, 'month-charge', lines)
}

/** Before anything is drawn: what a package holds, also where its price is for another month. */
function packagePostings(record: DayRecord): Posting[] {
  const { accountId, packageLines, opening } = record
  const held = new Set(opening.priceDue)
  return [
    ...boughtAhead(record, record).flatMap(({ id, sizeBytes, purchasedMs }) => {
      const move = { event: 'purchase', packageId: id, sizeBytes, atMs: purchasedMs } as const
      return packageBytes(accountId, move)
    }),
    ...packageLines.flatMap((line) => {
      const isHeld = line.event === 'purchase' && held.has(line.packageId)
      const move = { ...line, sizeBytes: BigInt(line.sizeBytes), atMs: Date.parse(line.time) }
      return [...(isHeld ? [] : packageBytes(accountId, move)), ...packagePrice(accountId, line)]
    }),
  ]
}

/** What a package held when it was bought, or when it was given back. */
interface PackageMove {
  readonly event: PackageBillLine['event']
  readonly packageId: string
  readonly sizeBytes: Bytes
  readonly atMs: EpochMs
}

function packageBytes(
  accountId: string,
  { event, packageId, sizeBytes, atMs }: PackageMove,
): Posting[] {
  const [side, bytes] =
    event === 'purchase' ? (['purchased', sizeBytes] as const) : (['refund', -sizeBytes] as const)
  return posting(accountId, `${event}:${packageId}`, atMs, 'bytes', `package-${event}`, [
    [`package:${packageId}`, bytes],
    [side, -bytes],
  ])
}

function packagePrice(accountId: string, line: PackageBillLine): Posting[] {
  const { event, packageId, currency, time } = line
  const amount = amountOf(line)
  const key = `${event}:${packageId}:price`
  return posting(accountId, key, Date.parse(time), { currency }, `package-${event}`, [
    ['receivable', amount],
    [event === 'purchase' ? 'revenue' : 'refund', -amount],
  ])
}

function drawPostings(
  { accountId, meter, draws, absorptions, orders }: Drawn,
  key: string,
  atMs: EpochMs,
  description: string,
): Posting[] {
  const drawn = sumOf(draws)
  const given = draws.filter(({ packageId }) => packageId !== null)
  const open = sumOf(draws.filter(({ packageId }) => packageId === null))
  const absorbed = sumOf(absorptions)
  const ordered = orders.reduce((sum, { arrearsBytes }) => sum + arrearsBytes, 0n)
  const fromPackages = (list: readonly { packageId: string | null; bytes: Bytes }[]) =>
    list.map(({ packageId, bytes }): [LedgerAccount, bigint] => [`package:${packageId}`, -bytes])
  return [
    ...posting(accountId, `${key}:draw`, atMs, 'bytes', description, [
      [`usage:${meter}`, drawn],
      ...fromPackages(given),
      [`arrears:${meter}`, -open],
    ]),
    ...posting(accountId, `${key}:absorb`, atMs, 'bytes', description, [
      [`arrears:${meter}`, absorbed],
      ...fromPackages(absorptions),
    ]),
    ...posting(accountId, `${key}:order`, atMs, 'bytes', description, [
      [`arrears:${meter}`, ordered],
      ['purchased:orders', -ordered],
    ]),
  ]
}

function moneyPostings(
  accountId: string,
  key: string,
  atMs: EpochMs,
  description: string,
  lines: readonly BillLine[],
): Posting[] {
  return totalsByCurrency(lines).flatMap(({ currency, amount }) =>
    posting(accountId, `${key}:${currency}`, atMs, { currency }, description, [
      ['receivable', amount],
      ['revenue', -amount],
    ]),
  )
}

/** Makes one posting of what moves, or none: legs of one ledger account are one leg. */
function posting(
  accountId: string,
  key: string,
  atMs: EpochMs,
  unit: Posting['unit'],
  description: string,
  moves: readonly (readonly [LedgerAccount, bigint])[],
): Posting[] {
  const sums = new Map<LedgerAccount, bigint>()
  for (const [account, amount] of moves) sums.set(account, (sums.get(account) ?? 0n) + amount)
  const legs: Leg[] = [...sums]
    .filter(([, amount]) => amount !== 0n)
    .map(([ledgerAccount, amount]) => ({ ledgerAccount, amount }))
  return legs.length === 0 ? [] : [{ key, accountId, atMs, unit, description, legs }]
}

function sumOf(list: readonly { readonly bytes: Bytes }[]): Bytes {
  return list.reduce((sum, { bytes }) => sum + bytes, 0n)
}

import { formatLocal } from '../core/period-text.ts'
import { renderEntries } from './entry-table.ts'
import { humanBytes } from './query-table.ts'

/** A balance as the server answers it, as far as it is shown. */
export interface ShownBalance {
  readonly account: string
  readonly meter: string
  readonly zone: string
  readonly asOf: string
  readonly closedUntil: string
  readonly month: string
  readonly pack: string
  readonly packages: readonly ShownPackage[]
  readonly arrearsBytes: number
  readonly monthToDate: readonly { readonly currency: string; readonly amount: string }[]
}

/** One package of a balance. */
export interface ShownPackage {
  readonly id: string
  readonly areas: readonly string[] | null
  readonly kinds: readonly string[] | null
  readonly sizeBytes: number
  readonly leftBytes: number
  readonly start: string
  readonly end: string | null
}

/** Says whose book it is, of when, and how far it is closed. */
export function renderHead(balance: ShownBalance): string {
  const { account, meter, pack, zone } = balance
  const asOf = localText(balance.asOf, zone)
  const closed = localText(balance.closedUntil, zone)
  return `${account} ${meter}, billed by ${pack}; ${asOf} (${zone}), closed until ${closed}\n`
}

/** Lays out where packages and the month stand. */
export function renderBalance(balance: ShownBalance): string {
  const { packages, zone, month, arrearsBytes } = balance
  const table = renderEntries(
    packages.map((entry) => ({
      package: entry.id,
      'pays for': scopeOf(entry),
      size: humanBytes(entry.sizeBytes),
      left: humanBytes(entry.leftBytes),
      begins: localText(entry.start, zone),
      ends: entry.end === null ? 'never' : localText(entry.end, zone),
    })),
    ['package', 'pays for', 'size', 'left', 'begins', 'ends'],
  )
  const arrears = arrearsBytes > 0 ? `Not covered: ${humanBytes(arrearsBytes)}\n` : ''
  return `${renderHead(balance)}${table}${arrears}${month} to date: ${amountsOf(balance)}\n`
}

/** Writes amounts, each with its currency. */
export function amountsOf({ monthToDate }: Pick<ShownBalance, 'monthToDate'>): string {
  if (monthToDate.length === 0) return '0.00'
  return monthToDate.map(({ amount, currency }) => `${amount} ${currency}`).join(', ')
}

/** Names the areas and kinds that something pays for. */
export function scopeOf({ areas, kinds }: Pick<ShownPackage, 'areas' | 'kinds'>): string {
  const words = [kinds, areas].map((list) => list?.join('+')).filter((word) => word !== undefined)
  return words.length === 0 ? 'everything' : words.join(' ')
}

/** Writes an instant of an answer on the wall clock of a zone. */
export function localText(instant: string, zone: string): string {
  return formatLocal(Date.parse(instant), zone)
}

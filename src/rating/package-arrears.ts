import { assert } from '../core/errors.ts'
import type { Interval } from '../core/period.ts'
import { type Bytes, divFloor } from '../core/units.ts'
import type { BillingRegion } from '../meters/places.ts'
import type { PackageBalance } from './package-burn.ts'
import { isInScope } from './package-scope.ts'
import { compareText, type PackageUsage, type PrepaidPackage } from './package-terms.ts'
import { localMinuteOf } from './traffic-windows.ts'

/** What becomes of usage that no package could take. */
export interface ArrearsPolicy {
  /** `larger-package`: a new package that is larger than the arrears in its scope pays them all. */
  readonly absorb: 'larger-package' | 'never'
  /** `daily-order`: what is left when its day closes is ordered post-paid; `carry`: it waits on. */
  readonly bill: 'daily-order' | 'carry'
  /** Orders are whole multiples of this, e.g. 2^30 for whole GiB; 1: exact. */
  readonly quantumBytes: Bytes
  readonly rounding: 'up' | 'down' | 'nearest'
}

/** What one new package did about the arrears. */
export interface Absorption<U extends PackageUsage = PackageUsage> {
  /** Paid by the package, as it was in arrears; empty: it paid nothing. */
  readonly absorbed: readonly U[]
  /** Still in arrears. */
  readonly arrears: readonly U[]
  /** Of the package, afterwards. */
  readonly balance: PackageBalance
}

/**
 * Lets a package that begins pay for the arrears in its scope: all of them, or none.
 *
 * Time: what is in arrears moved before the package began; area, kind, owner and time of day must
 * fit nevertheless. A package that lasts from its first use begins to expire with this.
 * Limits: only when strictly larger; one that is equal or smaller pays nothing and keeps its volume
 * for later usage.
 * Source: ucdn charge/flowday_new.md, traffic in excess: new package > arrears.
 */
export function absorbArrears<U extends PackageUsage>(
  entry: PrepaidPackage,
  balance: PackageBalance,
  arrears: readonly U[],
  policy: Pick<ArrearsPolicy, 'absorb'>,
  zone: string,
): Absorption<U> {
  assert(balance.packageId === entry.id, `the balance of ${balance.packageId} is not ${entry.id}'s`)
  const hasEnded = entry.validity.type === 'from-purchase' && entry.validity.endMs <= entry.startMs
  const inScope = (usage: PackageUsage) =>
    isInScope(entry, usage, entry.windows.length > 0 ? localMinuteOf(usage.startMs, zone) : 0)
  const absorbed = policy.absorb === 'never' || hasEnded ? [] : arrears.filter(inScope)
  const owedBytes = sumBytes(absorbed)
  if (owedBytes === 0n || balance.remainingBytes <= owedBytes) {
    return { absorbed: [], arrears, balance }
  }
  return {
    absorbed,
    arrears: arrears.filter((usage) => !inScope(usage)),
    balance: {
      packageId: entry.id,
      usedBytes: balance.usedBytes + owedBytes,
      remainingBytes: balance.remainingBytes - owedBytes,
      firstUseMs: balance.firstUseMs ?? entry.startMs,
    },
  }
}

/** Post-paid quantity of one area and kind for one day. */
export interface DailyOrder {
  /** By `orderByRegion` a region; `abroad` is then what moved abroad, and nobody knows where. */
  readonly area: BillingRegion
  readonly kind: 'static' | 'dynamic'
  /** What was in arrears. */
  readonly arrearsBytes: Bytes
  /** What is charged: the same, rounded as the policy declares. */
  readonly orderedBytes: Bytes
}

/** Names the area in whose order usage is. */
export type OrderArea = (usage: Pick<PackageUsage, 'area' | 'billingRegion'>) => BillingRegion

/** All that moved abroad is one order. */
export const orderByArea: OrderArea = ({ area }) => area

/** Each region abroad has its own order: where each has its own price, too. */
export const orderByRegion: OrderArea = ({ billingRegion }) => billingRegion

/** Orders of a day and the arrears that they leave. */
export interface DayOrders<U extends PackageUsage = PackageUsage> {
  /** By area, then kind. */
  readonly orders: readonly DailyOrder[]
  readonly arrears: readonly U[]
}

/**
 * Turns the arrears of a closed day into post-paid orders, or carries them.
 *
 * Shape: one order for each area and kind, because each has its own prices; `areaOf` says which
 * order usage belongs to.
 * Time: what moved in `day`; arrears of other days stay as they are.
 * Rounding: the sum of each order once, to the policy's quantum.
 * Source: ucdn charge/flowday_new.md, the day's excess is summed and ordered.
 */
export function dailyOrder<U extends PackageUsage>(
  arrears: readonly U[],
  day: Interval,
  policy: Pick<ArrearsPolicy, 'bill' | 'quantumBytes' | 'rounding'>,
  areaOf: OrderArea = orderByArea,
): DayOrders<U> {
  if (policy.bill === 'carry') return { orders: [], arrears }
  const isOfDay = ({ startMs }: PackageUsage) => day.startMs <= startMs && startMs < day.endMs
  const groups = new Map<string, PackageUsage[]>()
  for (const usage of arrears.filter(isOfDay)) {
    const key = `${areaOf(usage)} ${usage.kind}`
    groups.set(key, [...(groups.get(key) ?? []), usage])
  }
  const orders = [...groups]
    .sort(([a], [b]) => compareText(a, b))
    .flatMap(([, [first, ...others]]) => {
      if (first === undefined) return []
      const arrearsBytes = sumBytes([first, ...others])
      const orderedBytes = roundTo(arrearsBytes, policy.quantumBytes, policy.rounding)
      return [{ area: areaOf(first), kind: first.kind, arrearsBytes, orderedBytes }]
    })
  return { orders, arrears: arrears.filter((usage) => !isOfDay(usage)) }
}

function sumBytes(usage: readonly PackageUsage[]): Bytes {
  return usage.reduce((sum, { bytes }) => sum + bytes, 0n)
}

function roundTo(bytes: Bytes, quantum: Bytes, rounding: ArrearsPolicy['rounding']): Bytes {
  assert(quantum > 0n, `orders of whole ${quantum} bytes`)
  // Nearest takes halves up; all three are exact where nothing is to be rounded.
  const shift = { up: quantum - 1n, down: 0n, nearest: quantum / 2n }[rounding]
  return divFloor(bytes + shift, quantum) * quantum
}

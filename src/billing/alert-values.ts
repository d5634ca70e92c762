import { sharesArea } from '../catalog/area-scope.ts'
import type { EpochMs } from '../core/clock.ts'
import { NANO } from '../core/money.ts'
import {
  addDays,
  ceilTo,
  dayStart,
  FIVE_MINUTES_MS,
  floorTo,
  type Interval,
  localDays,
  MINUTE_MS,
} from '../core/period.ts'
import type { Bytes } from '../core/units.ts'
import type { PackageScope } from '../rating/package-terms.ts'
import { SLOT_SECONDS } from '../rating/bandwidth-usage.ts'
import type { AlertWatch, PackageChoice } from './alert.ts'
import type { AlertReading } from './alert-rules.ts'
import type { BookBalance, PackageNow } from './balance.ts'
import type { BookKey } from './book.ts'

/** Which usage the chosen packages may pay for; windows of the day are not looked at. */
export type AlertScope = Omit<PackageScope, 'windows'>

/** What an account moved in five minutes, summed over all its members. */
export interface AlertSlot {
  readonly startMs: EpochMs
  readonly inBytes: Bytes
  readonly outBytes: Bytes
}

/** What alerts read of the measured usage. */
export interface AlertUsage {
  /** Outbound bytes of each day that fit the scope, in the order of the days. */
  dailyBytes(key: BookKey, days: readonly Interval[], scope: AlertScope): Promise<readonly Bytes[]>
  /** Slots of the interval in which something moved; any order. */
  slots(key: BookKey, interval: Interval): Promise<readonly AlertSlot[]>
}

/** How late usage may come before its absence means that nothing moved. */
const SILENCE_MS = 30 * MINUTE_MS
/** Days over which usage is averaged. */
const MEAN_DAYS = 10

/**
 * Measures what an alert watches; null: it cannot be measured now, so that nothing changes.
 *
 * That is a single package that has not begun, has ended or is gone; and days left for an account
 * that is not a whole day old. A choice without any valid package has nothing left: that is told,
 * because from then on every byte is owed.
 *
 * Time: days are those of the book's zone; `accountMs` is when the account was made, and days that
 * began before it do not count, so that a young account is not warned too late.
 * Units: percent, days, units of currency or bit/s, as exact fractions.
 */
export async function readWatch(
  watch: AlertWatch,
  balance: BookBalance,
  accountMs: EpochMs,
  usage: AlertUsage,
): Promise<AlertReading | null> {
  const { asOfMs } = balance
  switch (watch.type) {
    case 'percent-left': {
      const chosen = chooseHoldings(watch, balance)
      if (chosen === null) return null
      const leftBytes = sum(chosen.map((each) => each.leftBytes))
      const sizeBytes = sum(chosen.map((each) => each.sizeBytes))
      const value = { numerator: leftBytes * 100n, denominator: sizeBytes }
      return { value, periodMs: newestMs(chosen), asOfMs }
    }
    case 'days-left':
      return readDaysLeft(watch, balance, accountMs, usage)
    case 'amount': {
      const owed = balance.monthToDate.find(({ currency }) => currency === watch.currency)
      const value = { numerator: owed?.amount ?? 0n, denominator: NANO }
      return { value, periodMs: balance.month.startMs, asOfMs }
    }
    case 'bandwidth':
      return readBandwidth(watch, balance, usage)
  }
}

async function readDaysLeft(
  watch: PackageChoice,
  balance: BookBalance,
  accountMs: EpochMs,
  usage: AlertUsage,
): Promise<AlertReading | null> {
  const chosen = chooseHoldings(watch, balance)
  const days = meanDays(balance.asOfMs, balance.zone, accountMs)
  if (chosen === null || days.length === 0) return null
  const leftBytes = sum(chosen.map((each) => each.leftBytes))
  const usedBytes = sum(await usage.dailyBytes(balance, days, scopeOf(watch, chosen)))
  // left ÷ (used ÷ days), without rounding the mean.
  const value = { numerator: leftBytes * BigInt(days.length), denominator: usedBytes }
  return { value, periodMs: newestMs(chosen), asOfMs: balance.asOfMs }
}

/** Lists the last ten whole local days before an instant that began when the account was there. */
export function meanDays(asOfMs: EpochMs, zone: string, accountMs: EpochMs): Interval[] {
  const interval = { startMs: addDays(asOfMs, -MEAN_DAYS, zone), endMs: dayStart(asOfMs, zone) }
  return localDays(interval, zone).filter(({ startMs }) => startMs >= accountMs)
}

/**
 * Measures the highest bandwidth of the day, or that of the last slot that is whole.
 *
 * Usage comes in minutes late, so a slot counts as whole once something of a later one is loaded,
 * or when that has not happened for half an hour. The slots after it can only grow: one that is
 * higher already counts, a lower one says nothing yet.
 */
async function readBandwidth(
  watch: Extract<AlertWatch, { readonly type: 'bandwidth' }>,
  balance: BookBalance,
  usage: AlertUsage,
): Promise<AlertReading> {
  const { asOfMs, zone } = balance
  const endMs = ceilTo(asOfMs, FIVE_MINUTES_MS)
  const silentMs = floorTo(asOfMs - SILENCE_MS, FIVE_MINUTES_MS)
  const periodMs = watch.of === 'day-peak' ? dayStart(asOfMs, zone) : null
  const interval = { startMs: periodMs ?? silentMs - FIVE_MINUTES_MS, endMs }
  const slots = interval.startMs < endMs ? await usage.slots(balance, interval) : []
  // Nothing older is read, so that after the silence the oldest slot read is the one that counts.
  const latestMs = Math.max(0, ...slots.map(({ startMs }) => startMs))
  const fromMs = periodMs ?? latestMs - FIVE_MINUTES_MS
  const highest = slots
    .filter(({ startMs }) => startMs >= fromMs)
    .map((slot) => (watch.direction === 'in' ? slot.inBytes : slot.outBytes))
    .reduce((most, each) => (each > most ? each : most), 0n)
  return { value: { numerator: highest * 8n, denominator: SLOT_SECONDS }, periodMs, asOfMs }
}

/** A volume that is watched: a valid prepaid package, or one that refills. */
interface Holding {
  readonly leftBytes: Bytes
  readonly sizeBytes: Bytes
  /** What it may pay for. */
  readonly scope: AlertScope
  /** When it began, or was refilled last. */
  readonly startMs: EpochMs
}

/** Picks the volumes that are watched; null: the single one is not valid. */
function chooseHoldings(choice: PackageChoice, balance: BookBalance): readonly Holding[] | null {
  const { packageId, area, kind } = choice
  const valid = balance.packages.filter((each) => isValid(each, balance.asOfMs))
  if (packageId === null) {
    return valid
      .map(holdingOf)
      .filter(({ scope }) => sharesArea(scope.areas, area && [area]) && allows(scope.kinds, kind))
  }
  const one = valid.find((each) => each.package.id === packageId)
  if (one !== undefined) return [holdingOf(one)]
  const refilling = balance.exclusive.find(({ volume }) => volume.id === packageId)
  if (refilling === undefined) return null
  const { volume, usedBytes, period } = refilling
  return [
    {
      // Usage beyond the volume is paid for, not owed to it.
      leftBytes: volume.sizeBytes > usedBytes ? volume.sizeBytes - usedBytes : 0n,
      sizeBytes: volume.sizeBytes,
      scope: { areas: null, kinds: null, projectIds: null, resourceIds: [volume.resourceId] },
      startMs: period.startMs,
    },
  ]
}

function isValid({ package: { startMs }, endMs }: PackageNow, atMs: EpochMs): boolean {
  return startMs <= atMs && (endMs === null || atMs < endMs)
}

function holdingOf({ package: terms, leftBytes }: PackageNow): Holding {
  const { sizeBytes, startMs, areas, kinds, projectIds, resourceIds } = terms
  return { leftBytes, sizeBytes, startMs, scope: { areas, kinds, projectIds, resourceIds } }
}

function allows<T>(list: readonly T[] | null, wanted: T | null): boolean {
  return list === null || wanted === null || list.includes(wanted)
}

/** The usage that one package may pay for, or that the area and kind name. */
function scopeOf({ packageId, area, kind }: PackageChoice, chosen: readonly Holding[]): AlertScope {
  const [only] = chosen
  if (packageId !== null && only !== undefined) return only.scope
  return {
    areas: area === null ? null : [area],
    kinds: kind === null ? null : [kind],
    projectIds: null,
    resourceIds: null,
  }
}

/** When the newest volume began: buying one starts a choice anew, and so does a refill. */
function newestMs(chosen: readonly Holding[]): EpochMs | null {
  return chosen.length === 0 ? null : Math.max(...chosen.map(({ startMs }) => startMs))
}

function sum(list: readonly Bytes[]): Bytes {
  return list.reduce((total, each) => total + each, 0n)
}

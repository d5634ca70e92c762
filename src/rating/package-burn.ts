/**
 * Burns usage off prepaid packages, entry by entry in time.
 *
 * What was drawn so far goes in and comes out as balances, so that burning one day after the other
 * gives what burning both at once gives. How arrears are absorbed later is package-arrears.ts.
 */
import type { EpochMs } from '../core/clock.ts'
import { assert } from '../core/errors.ts'
import { addDays, dayStart } from '../core/period.ts'
import type { Bytes } from '../core/units.ts'
import { type BurnKey, burnOrder } from './package-order.ts'
import { isInScope } from './package-scope.ts'
import {
  compareText,
  compareUsage,
  type PackageUsage,
  type PrepaidPackage,
} from './package-terms.ts'
import { endOf } from './package-validity.ts'
import { createMinuteOf } from './traffic-windows.ts'

/** What a burn depends on besides packages and usage. */
export interface BurnOptions {
  /** Zone of days, windows and calendar months. */
  readonly zone: string
  readonly order: readonly BurnKey[]
}

/** State of one package: used + remaining = size. */
export interface PackageBalance {
  readonly packageId: string
  readonly usedBytes: Bytes
  readonly remainingBytes: Bytes
  /** Start of the first usage drawn; null: untouched. */
  readonly firstUseMs: EpochMs | null
}

/** Bytes of one local day that one package gave; `packageId` null: that none could, arrears. */
export interface BurnPosting {
  readonly dayMs: EpochMs
  readonly packageId: string | null
  readonly bytes: Bytes
}

/** Result of a burn: every byte of usage is in exactly one posting. */
export interface Burn<U extends PackageUsage = PackageUsage> {
  /** By day, then package id, arrears last; none is of zero bytes. */
  readonly postings: readonly BurnPosting[]
  /** One for each package, by id. */
  readonly balances: readonly PackageBalance[]
  /** What no package could take, entry by entry in order, so that a later one may absorb it. */
  readonly arrears: readonly U[]
}

interface Tank {
  readonly package: PrepaidPackage
  endMs: EpochMs | null
  firstUseMs: EpochMs | null
  freeBytes: Bytes
}

/**
 * Draws usage from the packages that are valid when it moves, in the declared order.
 *
 * Shape: packages and usage in any order, usage is sorted as `compareUsage` does; `opening` holds
 * the balances after all earlier usage, packages without one are untouched.
 * Time: a package takes usage whose slot begins in `[start, end)` and in its windows. Ends are
 * ranked as they are known at that moment: one that lasts from its first use has none before.
 * Errors: none; usage beyond the packages becomes arrears, never a negative rest.
 * Limits: where ends do not depend on use, another package never adds arrears. One that lasts from
 * its first use may be spared by another, rank lower for it and leave a wider one to be used up.
 */
export function burnPackages<U extends PackageUsage>(
  packages: readonly PrepaidPackage[],
  usage: readonly U[],
  options: BurnOptions,
  opening: readonly PackageBalance[] = [],
): Burn<U> {
  const compare = burnOrder(options.order)
  const tanks = openTanks(packages, opening, options.zone)
  const hasWindows = packages.some(({ windows }) => windows.length > 0)
  const local = createLocalReader(options.zone)
  const postings: BurnPosting[] = []
  const arrears: U[] = []
  let live = tanks.filter(({ freeBytes }) => freeBytes > 0n).sort(compare)
  for (const entry of usage.toSorted(compareUsage)) {
    if (entry.bytes === 0n) continue
    assert(entry.bytes > 0n, `usage of ${entry.bytes} bytes`)
    const dayMs = local.dayOf(entry.startMs)
    const minute = hasWindows ? local.minuteOf(entry.startMs) : 0
    const post = (packageId: string | null, bytes: Bytes) => {
      postings.push({ dayMs, packageId, bytes })
    }
    const { openBytes, isStale } = drawEntry(live, entry, minute, post, options.zone)
    if (openBytes > 0n) {
      arrears.push({ ...entry, bytes: openBytes })
      post(null, openBytes)
    }
    if (isStale) live = live.filter(({ freeBytes }) => freeBytes > 0n).sort(compare)
  }
  const burn = { postings: mergePostings(postings), balances: tanks.map(balanceOf), arrears }
  assertConserved(burn, usage)
  return burn
}

/**
 * Sums postings of the same day and package, such as those of two burns.
 *
 * Shape: by day, then package id, arrears last.
 */
export function mergePostings(postings: readonly BurnPosting[]): BurnPosting[] {
  const days = new Map<EpochMs, Map<string | null, Bytes>>()
  for (const { dayMs, packageId, bytes } of postings) {
    const sums = days.get(dayMs) ?? new Map<string | null, Bytes>()
    days.set(dayMs, sums.set(packageId, (sums.get(packageId) ?? 0n) + bytes))
  }
  return [...days]
    .flatMap(([dayMs, sums]) =>
      [...sums].map(([packageId, bytes]) => ({ dayMs, packageId, bytes })),
    )
    .sort((a, b) => a.dayMs - b.dayMs || compareIds(a.packageId, b.packageId))
}

function openTanks(
  packages: readonly PrepaidPackage[],
  opening: readonly PackageBalance[],
  zone: string,
): Tank[] {
  const balances = new Map(opening.map((balance) => [balance.packageId, balance]))
  assert(new Set(packages.map(({ id }) => id)).size === packages.length, 'two packages of one id')
  const tanks = packages.map((entry) => {
    const balance = balances.get(entry.id)
    const firstUseMs = balance?.firstUseMs ?? null
    const freeBytes = entry.sizeBytes - (balance?.usedBytes ?? 0n)
    assert(freeBytes >= 0n, `package ${entry.id} gave ${-freeBytes} bytes more than it had`)
    return { package: entry, endMs: endOf(entry, firstUseMs, zone), firstUseMs, freeBytes }
  })
  return tanks.sort((a, b) => compareText(a.package.id, b.package.id))
}

/**
 * Draws one entry. A package that begins to expire here moves forward in the order, but it is the
 * one being drawn already, so the order holds until the entry is done.
 */
function drawEntry(
  live: readonly Tank[],
  entry: PackageUsage,
  minute: number,
  post: (packageId: string, bytes: Bytes) => void,
  zone: string,
): { openBytes: Bytes; isStale: boolean } {
  let openBytes = entry.bytes
  let isStale = false
  for (const tank of live) {
    if (openBytes === 0n) break
    if (!isValidAt(tank, entry.startMs) || !isInScope(tank.package, entry, minute)) continue
    const takenBytes = openBytes < tank.freeBytes ? openBytes : tank.freeBytes
    openBytes -= takenBytes
    tank.freeBytes -= takenBytes
    post(tank.package.id, takenBytes)
    if (tank.firstUseMs === null) {
      tank.firstUseMs = entry.startMs
      tank.endMs = endOf(tank.package, tank.firstUseMs, zone)
      isStale = true
    }
    if (tank.freeBytes === 0n) isStale = true
  }
  return { openBytes, isStale }
}

function isValidAt(tank: Tank, instantMs: EpochMs): boolean {
  return tank.package.startMs <= instantMs && (tank.endMs === null || instantMs < tank.endMs)
}

function balanceOf(tank: Tank): PackageBalance {
  return {
    packageId: tank.package.id,
    usedBytes: tank.package.sizeBytes - tank.freeBytes,
    remainingBytes: tank.freeBytes,
    firstUseMs: tank.firstUseMs,
  }
}

/** Reads days and minutes of ascending instants; zones are slow, so the last day is kept. */
function createLocalReader(zone: string) {
  let day = { startMs: 0, endMs: 0 }
  let minuteOf: ((instantMs: EpochMs) => number) | null = null
  return {
    dayOf(instantMs: EpochMs): EpochMs {
      if (instantMs < day.startMs || instantMs >= day.endMs) {
        day = { startMs: dayStart(instantMs, zone), endMs: addDays(instantMs, 1, zone) }
        minuteOf = null
      }
      return day.startMs
    },
    /** Of an instant in the day that was read last. */
    minuteOf(instantMs: EpochMs): number {
      minuteOf ??= createMinuteOf(day, zone)
      return minuteOf(instantMs)
    },
  }
}

function compareIds(a: string | null, b: string | null): number {
  if (a === null || b === null) return (a === null ? 1 : 0) - (b === null ? 1 : 0)
  return compareText(a, b)
}

function assertConserved({ postings }: Burn, usage: readonly PackageUsage[]): void {
  const posted = postings.reduce((sum, { bytes }) => sum + bytes, 0n)
  const moved = usage.reduce((sum, { bytes }) => sum + bytes, 0n)
  assert(posted === moved, `posted ${posted} of ${moved} bytes`)
}

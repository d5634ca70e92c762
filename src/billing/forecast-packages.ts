import { AREA_SCOPES, areaOf, coversArea, regionOf } from '../catalog/area-scope.ts'
import type { AreaScope } from '../catalog/model.ts'
import type { EpochMs } from '../core/clock.ts'
import { HOUR_MS, type Interval } from '../core/period.ts'
import type { Bytes } from '../core/units.ts'
import type { PackageBalance } from '../rating/package-burn.ts'
import type { PrepaidPackage } from '../rating/package-terms.ts'
import type { TrafficUsage } from '../rating/traffic-usage.ts'
import type { PackageNow } from './balance.ts'
import type { BookState, DayBasis } from './book.ts'
import { WEEK_DAYS } from './forecast-days.ts'
import type { FutureUsage, Way } from './forecast-traffic.ts'
import { drawDay, selectBillable } from './rate-day.ts'

/** When something runs out; null: not in the time that was looked at, or not before it expires. */
export interface RunsOut {
  readonly expectedMs: EpochMs | null
  /** One of ten futures runs out earlier. */
  readonly earliestMs: EpochMs | null
  /** One of ten futures runs out later. */
  readonly latestMs: EpochMs | null
}

/** What becomes of one package. */
export interface PackageOutlook extends PackageNow, RunsOut {
  /** Bytes that are expected to be left when it expires; 0 without an end in sight. */
  readonly unusedBytes: Bytes
}

/** What becomes of everything that pays for one area and kind. */
export interface PoolOutlook extends RunsOut {
  /** Parts of abroad where something names one; otherwise areas. */
  readonly area: AreaScope
  readonly kind: 'static' | 'dynamic'
  /** Of the packages that may pay now; one that pays for several is in each. */
  readonly leftBytes: Bytes
}

/** What is drawn from what, and for how long. */
export interface PackageQuestion {
  /** By what days to come are billed; packages and balances are those below. */
  readonly basisOf: (day: Interval, opening: BookState) => DayBasis
  readonly packages: readonly PackageNow[]
  /** State of the book now, but for balances of packages. */
  readonly state: BookState
  /** From now on: the rest of today, then whole local days. */
  readonly days: readonly Interval[]
  readonly usage: (index: number, way: Way) => readonly FutureUsage[]
  /** Whether `usage` tells billing regions apart. */
  readonly byRegion: boolean
}

/**
 * Draws what is foretold from the packages, day by day in the real order, until all have run out.
 *
 * Shape: packages as they come; pools of all areas and kinds that a package pays for, in order. A
 * pool has run out with the first usage that no package can take, be they used up or expired.
 * Time: to the hour in which it happens, its end; usage moves evenly within its part of the day.
 */
export function forecastPackages(question: PackageQuestion): {
  readonly packages: readonly PackageOutlook[]
  readonly pools: readonly PoolOutlook[]
} {
  const pools = poolsOf(question)
  const names = pools.map(nameOf)
  const expected = drain(question, names, 'expected')
  const early = drain(question, names, 'high')
  const late = drain(question, names, 'low')
  const runsOut = (find: (drained: Drained) => EpochMs | undefined): RunsOut => {
    return {
      expectedMs: find(expected) ?? null,
      earliestMs: find(early) ?? null,
      latestMs: find(late) ?? null,
    }
  }
  return {
    packages: question.packages.map((entry) => ({
      ...entry,
      ...runsOut(({ usedUp }) => usedUp.get(entry.package.id)),
      unusedBytes: expected.unused.get(entry.package.id) ?? 0n,
    })),
    pools: pools.map((pool) => ({
      ...pool,
      ...runsOut(({ uncovered }) => uncovered.get(nameOf(pool))),
    })),
  }
}

interface Drained {
  readonly usedUp: ReadonlyMap<string, EpochMs>
  readonly uncovered: ReadonlyMap<string, EpochMs>
  /** Of packages that expired on the way. */
  readonly unused: ReadonlyMap<string, Bytes>
}

function drain(question: PackageQuestion, pools: readonly string[], way: Way): Drained {
  const { days, usage, basisOf } = question
  const packages = question.packages.map(toTerms)
  const balances = question.packages.map(toBalance)
  const found: Found = { usedUp: alreadyEmpty(question), uncovered: new Map() }
  let state: BookState = { ...question.state, balances }
  for (const [index, day] of days.entries()) {
    const basis = { ...basisOf(day, state), packages: begunIn(packages, day) }
    const moved = selectFuture(basis, usage(index, way))
    const after = pass(basis, moved)
    // Hours only matter on the few days on which something runs out.
    if (isNews(after, found, pools)) passHours(basis, moved, found)
    state = after.closing
    if (!hasMore(packages, state, day.endMs) && pools.every((pool) => found.uncovered.has(pool)))
      break
  }
  return { ...found, unused: unusedOf(packages, state, days.at(-1)?.endMs ?? 0) }
}

function alreadyEmpty({ packages, days }: PackageQuestion): Map<string, EpochMs> {
  const nowMs = days[0]?.startMs ?? 0
  const empty = packages.filter(({ leftBytes }) => leftBytes === 0n)
  return new Map(empty.map((entry) => [entry.package.id, nowMs]))
}

/** Free days are judged by whole days, so usage is selected before a day is cut into hours. */
function selectFuture(basis: DayBasis, moved: readonly FutureUsage[]): readonly FutureUsage[] {
  const billable = new Set<TrafficUsage>(selectBillable(basis, moved))
  return moved.filter((entry) => billable.has(entry))
}

function begunIn(packages: readonly PrepaidPackage[], { endMs }: Interval): PrepaidPackage[] {
  return packages.filter(({ startMs }) => startMs < endMs)
}

function hasMore(
  packages: readonly PrepaidPackage[],
  { balances }: BookState,
  atMs: EpochMs,
): boolean {
  const left = new Map(balances.map((one) => [one.packageId, one.remainingBytes]))
  return packages.some(
    ({ id, validity }) =>
      (left.get(id) ?? 0n) > 0n && !(validity.type === 'from-purchase' && validity.endMs <= atMs),
  )
}

function unusedOf(
  packages: readonly PrepaidPackage[],
  { balances }: BookState,
  lastMs: EpochMs,
): ReadonlyMap<string, Bytes> {
  const expired = packages.filter(
    ({ validity }) => validity.type === 'from-purchase' && validity.endMs <= lastMs,
  )
  const left = new Map(balances.map((one) => [one.packageId, one.remainingBytes]))
  return new Map(expired.map(({ id }) => [id, left.get(id) ?? 0n]))
}

interface Passed {
  readonly closing: BookState
  /** Areas and kinds of which something could not be paid for. */
  readonly uncovered: ReadonlySet<string>
}

function pass(basis: DayBasis, moved: readonly FutureUsage[]): Passed {
  const drawn = drawDay(exactly(basis), moved)
  const left = [
    ...drawn.remainder,
    ...drawn.closing.arrears.filter(({ startMs }) => startMs >= basis.day.startMs),
  ]
  return { closing: drawn.closing, uncovered: new Set(left.map(poolOf)) }
}

/** Orders by the byte, so that what is ordered is what was not covered. */
function exactly(basis: DayBasis): DayBasis {
  const { packages } = basis.pack
  const arrears = { ...packages.arrears, quantumBytes: 1n }
  return { ...basis, pack: { ...basis.pack, packages: { ...packages, arrears } } }
}

interface Found {
  readonly usedUp: Map<string, EpochMs>
  readonly uncovered: Map<string, EpochMs>
}

function isNews({ closing, uncovered }: Passed, found: Found, pools: readonly string[]): boolean {
  return (
    closing.balances.some((one) => one.remainingBytes === 0n && !found.usedUp.has(one.packageId)) ||
    pools.some((pool) => uncovered.has(pool) && !found.uncovered.has(pool))
  )
}

/** Goes through a day hour by hour and notes what runs out in which. */
function passHours(basis: DayBasis, moved: readonly FutureUsage[], found: Found): void {
  const { day } = basis
  let opening = basis.opening
  for (let startMs = day.startMs; startMs < day.endMs; startMs += HOUR_MS) {
    const hour = { startMs, endMs: Math.min(startMs + HOUR_MS, day.endMs) }
    const passed = pass(
      { ...basis, day: hour, settledMs: hour.endMs, opening },
      partOf(moved, hour),
    )
    for (const { packageId, remainingBytes } of passed.closing.balances) {
      if (remainingBytes > 0n || found.usedUp.has(packageId)) continue
      found.usedUp.set(packageId, hour.endMs)
    }
    for (const pool of passed.uncovered) {
      if (!found.uncovered.has(pool)) found.uncovered.set(pool, hour.endMs)
    }
    opening = passed.closing
  }
}

/** What moves in an hour; the hours of a part of a day add up to it exactly. */
function partOf(moved: readonly FutureUsage[], { startMs, endMs }: Interval): FutureUsage[] {
  return moved.flatMap((entry) => {
    const span = BigInt(entry.endMs - entry.startMs)
    const until = (atMs: EpochMs): Bytes => {
      const insideMs = Math.min(Math.max(atMs, entry.startMs), entry.endMs) - entry.startMs
      return (entry.bytes * BigInt(insideMs)) / span
    }
    const bytes = until(endMs) - until(startMs)
    return bytes > 0n ? [{ ...entry, startMs: Math.max(startMs, entry.startMs), bytes }] : []
  })
}

/** A package whose end is known has that end, whatever its first use was. */
function toTerms({ package: terms, endMs }: PackageNow): PrepaidPackage {
  return terms.validity.type === 'from-first-use' && endMs !== null
    ? { ...terms, validity: { type: 'from-purchase', endMs } }
    : terms
}

function toBalance({ package: { id }, usedBytes, leftBytes }: PackageNow): PackageBalance {
  return { packageId: id, usedBytes, remainingBytes: leftBytes, firstUseMs: null }
}

const KINDS = ['static', 'dynamic'] as const

/** Areas and kinds in which something is expected to move, and that a package pays for. */
function poolsOf({ packages, days, usage, byRegion }: PackageQuestion) {
  const nowMs = days[0]?.startMs ?? 0
  const week = Array.from({ length: WEEK_DAYS }, (_, index) => usage(index, 'expected')).flat()
  // Where regions are told apart, what is in none is `abroad-other`; otherwise it is all of abroad.
  const scopes = AREA_SCOPES.filter((scope) => scope !== (byRegion ? 'abroad' : 'abroad-other'))
  return scopes.flatMap((area) =>
    KINDS.flatMap((kind) => {
      const billingRegion = regionOf(area)
      if (!week.some((entry) => entry.billingRegion === billingRegion && entry.kind === kind)) {
        return []
      }
      const paying = packages.filter(
        ({ package: { areas, kinds } }) =>
          coversArea(areas, { area: areaOf(area), billingRegion }) &&
          (kinds?.includes(kind) ?? true),
      )
      const leftBytes = paying
        .filter(({ package: { startMs } }) => startMs <= nowMs)
        .reduce((sum, entry) => sum + entry.leftBytes, 0n)
      return paying.length === 0 ? [] : [{ area, kind, leftBytes }]
    }),
  )
}

function poolOf({ billingRegion, kind }: TrafficUsage): string {
  return `${billingRegion} ${kind}`
}

function nameOf({ area, kind }: Pick<PoolOutlook, 'area' | 'kind'>): string {
  return `${regionOf(area)} ${kind}`
}

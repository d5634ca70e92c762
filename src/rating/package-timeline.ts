import type { EpochMs } from '../core/clock.ts'
import { assert } from '../core/errors.ts'
import type { Interval } from '../core/period.ts'
import { absorbArrears, type ArrearsPolicy } from './package-arrears.ts'
import {
  type BurnOptions,
  type BurnPosting,
  burnPackages,
  mergePostings,
  type PackageBalance,
} from './package-burn.ts'
import { burnOrder } from './package-order.ts'
import {
  compareText,
  compareUsage,
  type PackageUsage,
  type PrepaidPackage,
} from './package-terms.ts'
import { endOf } from './package-validity.ts'

/** Where an account's packages stand between two intervals. */
export interface PackageState<U extends PackageUsage = PackageUsage> {
  /** By package id. */
  readonly balances: readonly PackageBalance[]
  /** Neither absorbed nor ordered so far, by time. */
  readonly arrears: readonly U[]
}

/** Arrears that a package paid for when it began. */
export interface AbsorptionPosting<U extends PackageUsage = PackageUsage> {
  readonly packageId: string
  readonly atMs: EpochMs
  readonly absorbed: readonly U[]
}

/** What happened in an interval, and the state after it. */
export interface Timeline<U extends PackageUsage = PackageUsage> extends PackageState<U> {
  readonly postings: readonly BurnPosting[]
  readonly absorptions: readonly AbsorptionPosting<U>[]
}

/**
 * Runs an account's packages through an interval: each one that begins first absorbs what it may of
 * the arrears so far, then usage is burnt until the next begins.
 *
 * Shape: adjacent intervals one after the other give what they give at once, but for postings of a
 * day that was cut, which add up. Packages that begin together absorb in the burn order.
 * Time: usage whose slot begins in the interval.
 * Errors: none; an assertion for usage outside of the interval.
 */
export function runTimeline<U extends PackageUsage>(
  interval: Interval,
  packages: readonly PrepaidPackage[],
  usage: readonly U[],
  options: BurnOptions & Pick<ArrearsPolicy, 'absorb'>,
  opening: PackageState<U> = { balances: [], arrears: [] },
): Timeline<U> {
  const sorted = usage.toSorted(compareUsage)
  assertInside(interval, sorted)
  const balances = new Map(opening.balances.map((balance) => [balance.packageId, balance]))
  const postings: BurnPosting[] = []
  const absorptions: AbsorptionPosting<U>[] = []
  let arrears = opening.arrears
  let next = 0
  for (const cut of cutAtStarts(interval, packages)) {
    for (const entry of beginningAt(cut.startMs, packages, options)) {
      const before = balances.get(entry.id) ?? untouched(entry)
      const after = absorbArrears(entry, before, arrears, options, options.zone)
      if (after.absorbed.length === 0) continue
      absorptions.push({ packageId: entry.id, atMs: cut.startMs, absorbed: after.absorbed })
      balances.set(entry.id, after.balance)
      arrears = after.arrears
    }
    const from = next
    while ((sorted[next]?.startMs ?? cut.endMs) < cut.endMs) next += 1
    const burn = burnPackages(packages, sorted.slice(from, next), options, [...balances.values()])
    for (const balance of burn.balances) balances.set(balance.packageId, balance)
    postings.push(...burn.postings)
    arrears = [...arrears, ...burn.arrears]
  }
  const closing = [...balances.values()].sort((a, b) => compareText(a.packageId, b.packageId))
  return { postings: mergePostings(postings), absorptions, balances: closing, arrears }
}

function cutAtStarts(interval: Interval, packages: readonly PrepaidPackage[]): Interval[] {
  const starts = packages
    .map(({ startMs }) => startMs)
    .filter((startMs) => interval.startMs <= startMs && startMs < interval.endMs)
  const cuts = [...new Set([interval.startMs, ...starts])].sort((a, b) => a - b)
  return cuts.map((startMs, index) => ({ startMs, endMs: cuts[index + 1] ?? interval.endMs }))
}

function beginningAt(
  atMs: EpochMs,
  packages: readonly PrepaidPackage[],
  { order, zone }: BurnOptions,
): PrepaidPackage[] {
  return packages
    .filter(({ startMs }) => startMs === atMs)
    .map((entry) => ({ package: entry, endMs: endOf(entry, null, zone) }))
    .sort(burnOrder(order))
    .map((ranked) => ranked.package)
}

function untouched({ id, sizeBytes }: PrepaidPackage): PackageBalance {
  return { packageId: id, usedBytes: 0n, remainingBytes: sizeBytes, firstUseMs: null }
}

function assertInside(interval: Interval, sorted: readonly PackageUsage[]): void {
  const first = sorted[0]?.startMs ?? interval.startMs
  const last = sorted.at(-1)?.startMs ?? interval.startMs
  assert(
    sorted.length === 0 || (interval.startMs <= first && last < interval.endMs),
    `usage from ${first} to ${last} lies outside of its interval`,
  )
}

/**
 * Which bytes were drawn from which prepaid package, by simple expiry order.
 *
 * The past is cut at every moment a package begins or ends, so that within one interval the set of
 * valid packages does not change; the usage of each interval is then drawn in order.
 * Source: docs/explanation/vendor-answers.md.
 */
import type { EpochMs } from '../core/clock.ts'
import { assert } from '../core/errors.ts'
import { floorTo, type Interval, MINUTE_MS } from '../core/period.ts'
import type { Bytes } from '../core/units.ts'

/** A prepaid volume, valid in `[startMs, endMs)`; `endMs` null: for ever. */
export interface DrawablePackage {
  readonly id: string
  readonly sizeBytes: Bytes
  readonly purchasedMs: EpochMs
  readonly startMs: EpochMs
  readonly endMs: EpochMs | null
}

/** What moved in one interval. */
export interface IntervalUsage extends Interval {
  readonly bytes: Bytes
}

/** What one package has given. */
export interface Draw<P extends DrawablePackage = DrawablePackage> {
  readonly package: P
  readonly usedBytes: Bytes
}

/** Result of a drawdown: bytes drawn + arrears = bytes used. */
export interface Drawdown<P extends DrawablePackage = DrawablePackage> {
  /** One entry per package, in drawing order. */
  readonly draws: readonly Draw<P>[]
  /** Bytes that no valid package could take. */
  readonly arrearsBytes: Bytes
}

/**
 * Cuts the time from the first package until `untilMs` so that no package begins or ends inside.
 *
 * Shape: ascending, touching, none empty; no packages or none begun: an empty list.
 * Time: cuts are rounded down to whole minutes, the grain of stored usage.
 */
export function drawdownIntervals(
  packages: readonly DrawablePackage[],
  untilMs: EpochMs,
): Interval[] {
  const cuts = new Set<EpochMs>()
  for (const { startMs, endMs } of packages) {
    cuts.add(floorTo(startMs, MINUTE_MS))
    if (endMs !== null) cuts.add(floorTo(endMs, MINUTE_MS))
  }
  const past = [...cuts].filter((cutMs) => cutMs < untilMs).sort((a, b) => a - b)
  return past.map((startMs, index) => ({ startMs, endMs: past[index + 1] ?? untilMs }))
}

/**
 * Orders packages for drawing: those without end first, then earliest end, earliest purchase, id.
 *
 * Source: ucdn charge/faq.md, packages bought before 2022-10-01 never expire and are used first.
 */
export function compareForDrawing(a: DrawablePackage, b: DrawablePackage): number {
  const endA = a.endMs ?? Number.NEGATIVE_INFINITY
  const endB = b.endMs ?? Number.NEGATIVE_INFINITY
  if (endA !== endB) return endA < endB ? -1 : 1
  if (a.purchasedMs !== b.purchasedMs) return a.purchasedMs - b.purchasedMs
  if (a.id === b.id) return 0
  return a.id < b.id ? -1 : 1
}

/**
 * Draws the usage of each interval from the packages valid in it.
 *
 * Shape: intervals ascending and cut as `drawdownIntervals` cuts them.
 * Errors: none; usage beyond the packages becomes arrears, never a negative rest.
 */
export function drawDown<P extends DrawablePackage>(
  packages: readonly P[],
  usage: readonly IntervalUsage[],
): Drawdown<P> {
  const ordered = [...packages].sort(compareForDrawing)
  const used = new Map<P, Bytes>(ordered.map((pack) => [pack, 0n]))
  let arrearsBytes = 0n
  for (const interval of usage) {
    let openBytes = interval.bytes
    for (const pack of ordered) {
      if (openBytes === 0n) break
      if (!isValidThroughout(pack, interval)) continue
      const soFar = used.get(pack) ?? 0n
      const freeBytes = pack.sizeBytes - soFar
      const takenBytes = openBytes < freeBytes ? openBytes : freeBytes
      used.set(pack, soFar + takenBytes)
      openBytes -= takenBytes
    }
    arrearsBytes += openBytes
  }
  const draws = ordered.map((pack) => ({ package: pack, usedBytes: used.get(pack) ?? 0n }))
  assertConserved(draws, arrearsBytes, usage)
  return { draws, arrearsBytes }
}

function isValidThroughout(pack: DrawablePackage, interval: Interval): boolean {
  return (
    floorTo(pack.startMs, MINUTE_MS) <= interval.startMs &&
    (pack.endMs === null || interval.endMs <= floorTo(pack.endMs, MINUTE_MS))
  )
}

function assertConserved(
  draws: readonly Draw[],
  arrearsBytes: Bytes,
  usage: readonly IntervalUsage[],
): void {
  const drawn = draws.reduce((sum, draw) => sum + draw.usedBytes, arrearsBytes)
  const moved = usage.reduce((sum, interval) => sum + interval.bytes, 0n)
  assert(drawn === moved, `drew ${drawn} of ${moved} bytes`)
}

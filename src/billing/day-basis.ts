import type { ResourceVersion } from '../catalog/model.ts'
import { payModeAt } from '../catalog/versions.ts'
import type { EpochMs } from '../core/clock.ts'
import type { Interval } from '../core/period.ts'
import { divFloor, GIB } from '../core/units.ts'
import type { AddressDay, Book, BookFacts } from './book-keeping.ts'
import type { BookKey, BookState, DayBasis } from './book.ts'
import type { ChargeMode } from './charge-modes.ts'
import type { RulePack } from '../rating/rule-pack.ts'
import { packagesInPlay } from './package-events.ts'
import type { DayUsage } from './rate-day.ts'

/** Puts together what closing a day of a book depends on besides its usage. */
export function dayBasis(
  book: Book,
  facts: BookFacts,
  charged: { readonly mode: ChargeMode; readonly pack: RulePack },
  day: Interval,
  settledMs: EpochMs,
): DayBasis {
  const { accountId, meter, zone, state } = book
  const settled = { dayStartMs: day.startMs, settledMs }
  return {
    accountId,
    meter,
    zone,
    pack: charged.pack,
    packHash: charged.mode.packHash,
    groups: charged.mode.groups,
    day,
    settledMs,
    packages: packagesInPlay(facts.packages, state, settled, zone),
    exclusive: facts.exclusive.filter(
      ({ createdMs, deletedMs = Number.POSITIVE_INFINITY }) =>
        createdMs < day.endMs && deletedMs > day.startMs,
    ),
    unbilled: unbilledOf(book, facts, day),
    opening: state,
  }
}

/** Gives the terms of a day where the book stands when it begins: what may be drawn follows. */
export function withOpening(basis: DayBasis, facts: BookFacts, opening: BookState): DayBasis {
  const settled = { dayStartMs: basis.day.startMs, settledMs: basis.settledMs }
  const packages = packagesInPlay(facts.packages, opening, settled, basis.zone)
  return { ...basis, packages, opening }
}

/** Only addresses have pay modes. */
function unbilledOf({ meter }: BookKey, { resources }: BookFacts, day: Interval): string[] {
  if (meter !== 'eip') return []
  return resources
    .filter(({ versions }) => (payModeAt(versions, day.startMs) ?? 'Traffic') !== 'Traffic')
    .map(({ id }) => id)
    .sort()
}

/**
 * Lists the day of every elastic IP that was the account's on it.
 *
 * Rounding: down to whole GiB. Days under bandwidth billing are listed with 0.
 */
export function addressDays(
  { accountId, meter, day, unbilled }: DayBasis,
  { resources }: BookFacts,
  usage: DayUsage,
): AddressDay[] {
  if (meter !== 'eip') return []
  const moved = new Map<string, bigint>()
  for (const { direction, resourceId, bytes } of usage.traffic) {
    if (direction !== 'out' || unbilled.includes(resourceId)) continue
    moved.set(resourceId, (moved.get(resourceId) ?? 0n) + bytes)
  }
  return resources
    .filter(({ versions, deletedMs }) => isOwned(versions, deletedMs, accountId, day))
    .map(({ id }) => {
      const bytes = moved.get(id) ?? 0n
      return { ...day, resourceId: id, bytes, quantityGb: divFloor(bytes, GIB) }
    })
}

function isOwned(
  versions: readonly ResourceVersion[],
  deletedMs: EpochMs | null,
  accountId: string,
  day: Interval,
): boolean {
  return versions.some((version, index) => {
    const untilMs = versions[index + 1]?.fromMs ?? deletedMs ?? Number.POSITIVE_INFINITY
    return version.accountId === accountId && version.fromMs < day.endMs && untilMs > day.startMs
  })
}

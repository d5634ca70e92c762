import type { ResourceVersion } from '../../catalog/model.ts'
import { payModeAt } from '../../catalog/versions.ts'
import { AppError } from '../../core/errors.ts'
import { DAY_MS, type Interval, localDays } from '../../core/period.ts'
import { type Bytes, divFloor, GIB } from '../../core/units.ts'
import type { Caller, OperationDeps } from './caller.ts'
import { ownedIntervals, type Owner, resourceOf } from './ownership.ts'
import type { ClosedDay } from './ports.ts'
import { checkRegion } from './regions.ts'

/** Longest range of one question. */
const RANGE_MS_MAX = 365 * DAY_MS

/** One billing day of an elastic IP. */
export interface BillingDay extends Interval {
  /** Whole GB of 1024^3 bytes, rounded down: a day under 1 GB is not billed. */
  readonly quantityGb: bigint
  readonly isCharged: boolean
}

/** Daily traffic bills of one elastic IP. */
export interface DailyBilling {
  readonly resourceId: string
  readonly days: readonly BillingDay[]
  /** Sum of the days' quantities. */
  readonly totalGb: bigint
}

/** Question for daily traffic bills. */
export interface DailyBillingQuestion extends Interval {
  readonly projectId: string
  readonly region: string
  /** Id or name of the elastic IP. */
  readonly eip: string
}

/**
 * Answers the outbound traffic of an elastic IP per billing day.
 *
 * Shape: one row per local day that touches the range and has begun, ascending.
 * Time: days of the account's zone. Closed days come from the books as they were frozen; open ones
 * live from usage. What moved while another project owned the address is not shown.
 * Rounding: each day down to whole GB; the total is the sum of the rows.
 * Errors: `region_unsupported` (`region`), `not_found` (`eip`), `parameter_invalid` (`end`).
 * Limits: 365 days.
 * Source: ucloud.md §5.1 GetThroughputDailyBillingInfo, §7 EIP daily traffic billing.
 */
export async function eipDailyBilling(
  caller: Caller,
  question: DailyBillingQuestion,
  deps: OperationDeps,
): Promise<DailyBilling> {
  await checkRegion(question.region, deps)
  checkRange(question)
  const { resource, versions } = await resourceOf(
    caller,
    { meter: 'eip', idOrName: question.eip, projectId: question.projectId, field: 'eip' },
    deps,
  )
  if (resource.region !== question.region) {
    throw new AppError('not_found', 'The address is in another region.', { field: 'eip' })
  }
  const owner = { accountId: caller.payer.id, projectId: question.projectId }
  const begun = { startMs: question.startMs, endMs: Math.min(question.endMs, deps.clock.nowMs()) }
  const days = localDays(begun, caller.payer.zone)
  const rows = await billDays(resource.id, days, { versions, owner }, deps)
  const totalGb = rows.reduce((sum, row) => sum + row.quantityGb, 0n)
  return { resourceId: resource.id, days: rows, totalGb }
}

function checkRange({ startMs, endMs }: Interval): void {
  if (endMs <= startMs) {
    throw new AppError('parameter_invalid', 'The range ends before it begins.', { field: 'end' })
  }
  if (endMs - startMs > RANGE_MS_MAX) {
    throw new AppError('parameter_invalid', 'The range is longer than 365 days.', { field: 'end' })
  }
}

async function billDays(
  resourceId: string,
  days: readonly Interval[],
  history: { readonly versions: readonly ResourceVersion[]; readonly owner: Owner },
  deps: OperationDeps,
): Promise<BillingDay[]> {
  const first = days[0]
  const last = days.at(-1)
  if (first === undefined || last === undefined) return []
  const range = { startMs: first.startMs, endMs: last.endMs }
  const books = await deps.books.closedDays(history.owner.accountId, resourceId, range)
  const closed = new Map(books.map((day) => [day.startMs, day]))
  // What must be counted live: pieces of days that are ours, not closed and billed by traffic.
  const pieces = days.map((day) => {
    const isTraffic = payModeAt(history.versions, day.startMs) === 'Traffic'
    const owned = ownedIntervals(history.versions, day, history.owner)
    return { day, owned, live: isTraffic && !closed.has(day.startMs) ? owned : [] }
  })
  const live = pieces.flatMap((piece) => piece.live)
  const bytes = live.length === 0 ? [] : await deps.usage.eipOutBytes(resourceId, live)
  let next = 0
  return pieces.map((piece) => {
    const moved = bytes.slice(next, next + piece.live.length)
    next += piece.live.length
    const ours = piece.owned.length > 0
    return toBillingDay(piece.day, ours ? closed.get(piece.day.startMs) : undefined, moved)
  })
}

function toBillingDay(
  day: Interval,
  closed: ClosedDay | undefined,
  moved: readonly Bytes[],
): BillingDay {
  if (closed !== undefined) {
    return { ...day, quantityGb: closed.quantityGb, isCharged: true }
  }
  const bytes = moved.reduce((sum, piece) => sum + piece, 0n)
  return { ...day, quantityGb: divFloor(bytes, GIB), isCharged: false }
}

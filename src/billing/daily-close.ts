import type { Account, Resource, ResourceVersion } from '../catalog/model.ts'
import type { Clock, EpochMs } from '../core/clock.ts'
import { addDays, dayStart, MINUTE_MS, type Interval } from '../core/period.ts'
import { createPeriodic, type PeriodicTask } from '../core/periodic.ts'
import { gigaBytes } from '../core/units.ts'

/** A billing day of one elastic IP that has been closed for good. */
export interface DayClosing {
  readonly resourceId: string
  readonly startMs: EpochMs
  readonly endMs: EpochMs
  readonly bytes: bigint
  readonly quantityGb: bigint
  readonly charged: boolean
}

/** An elastic IP whose days are to be closed. */
export interface ClosableResource {
  readonly resource: Resource
  readonly account: Account
  /** Where its next open day starts; null: none is closed yet. */
  readonly closedUntilMs: EpochMs | null
}

export interface DailyCloseDeps {
  readonly clock: Clock
  /** Elastic IPs that may have open days. */
  readonly resources: () => Promise<readonly ClosableResource[]>
  readonly versions: (resourceId: string) => Promise<readonly ResourceVersion[]>
  readonly outBytes: (resourceId: string, days: readonly Interval[]) => Promise<readonly bigint[]>
  /** Records closed days; a day that is already closed stays as it is. */
  readonly record: (days: readonly DayClosing[]) => Promise<void>
  readonly log: { error(details: object, message: string): void }
}

export interface DailyCloseConfig {
  /** Time after the end of a local day at which it closes. */
  readonly settleMs: number
}

/** How often the closing looks for days that have settled. */
const CHECK_MS = 5 * MINUTE_MS

/** Pay mode at the start of a day decides the whole day. */
export function payModeAt(versions: readonly ResourceVersion[], instantMs: EpochMs): string {
  let mode = versions[0]?.payMode ?? 'Traffic'
  for (const version of versions) {
    if (version.fromMs <= instantMs) mode = version.payMode
  }
  return mode
}

/** Lists the whole local days in `[fromMs, nowMs − settleMs]`, at most a year of them. */
export function settledDays(
  fromMs: EpochMs,
  nowMs: EpochMs,
  zone: string,
  settleMs: number,
): Interval[] {
  const days: Interval[] = []
  let startMs = dayStart(fromMs, zone)
  while (days.length < 366) {
    const endMs = addDays(startMs, 1, zone)
    if (endMs + settleMs > nowMs) break
    days.push({ startMs, endMs })
    startMs = endMs
  }
  return days
}

/**
 * Closes the settled days of every elastic IP: outbound bytes become whole GiB, rounded down, and
 * the day never changes again. Days under bandwidth billing close with 0.
 */
export async function closeSettledDays(
  config: DailyCloseConfig,
  deps: DailyCloseDeps,
): Promise<number> {
  let closed = 0
  for (const { resource, account, closedUntilMs } of await deps.resources()) {
    const fromMs = closedUntilMs ?? resource.createdMs
    const untilMs = resource.deletedMs ?? Number.POSITIVE_INFINITY
    const days = settledDays(fromMs, deps.clock.nowMs(), account.zone, config.settleMs).filter(
      (day) => day.startMs < untilMs,
    )
    if (days.length === 0) continue
    const versions = await deps.versions(resource.id)
    const bytes = await deps.outBytes(resource.id, days)
    const closings = days.map((day, index): DayClosing => {
      const billed = payModeAt(versions, day.startMs) === 'Traffic' ? (bytes[index] ?? 0n) : 0n
      const quantityGb = billed / gigaBytes(1024)
      return { ...day, resourceId: resource.id, bytes: billed, quantityGb, charged: true }
    })
    await deps.record(closings)
    closed += closings.length
  }
  return closed
}

/** Closes settled days at start and every few minutes after. */
export function createDailyClose(config: DailyCloseConfig, deps: DailyCloseDeps): PeriodicTask {
  return createPeriodic(
    'daily-close',
    CHECK_MS,
    () => closeSettledDays(config, deps),
    (error) =>
      deps.log.error({ err: error }, 'billing: closing days failed; trying again in five minutes'),
  )
}

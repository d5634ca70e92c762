/**
 * How much a series of days will go on to move.
 *
 * In words: every weekday has its share of a week, as it had on average in the weeks that are
 * known. Without that share, the days have a level, which follows what is new (exponential
 * smoothing; how fast is chosen so that each day would have been foretold best from those before).
 * The days to come have the last level times their weekday's share; growth is followed, never drawn
 * out. How far sums of days may be off is computed from how far off the foretold days were: each
 * error counts for its own day and, as far as the level follows it, for the days behind it; and the
 * weekdays' shares are only known as well as so many weeks tell them.
 */
import { assert } from '../core/errors.ts'
import type { Bytes } from '../core/units.ts'

/** Days whose pattern repeats. */
export const WEEK_DAYS = 7
/** Fewer days tell nothing about weekdays: each must have been seen twice. */
export const HISTORY_DAYS_MIN = 14
/** What is older says less about tomorrow than it costs to read. */
export const HISTORY_DAYS_MAX = 56

/** One way on: bytes of each day to come. */
export type DayPath = readonly Bytes[]

/** What is expected, and the ways that four of five futures lie between. */
export interface DayForecast {
  readonly expected: DayPath
  /** One of ten futures has moved less, summed up to any of the days. */
  readonly low: DayPath
  /** One of ten futures has moved more, summed up to any of the days. */
  readonly high: DayPath
}

/** Of a normal distribution, what nine tenths lie below, in standard deviations. */
export const TENTH = 1.2815515655446004
/** How fast a level may follow; 0: it is the mean of all. */
const PACES = [0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.65, 0.8]
/** Relative errors below this are those of computing with floats. */
const NOISE_MIN = 1e-9

/** Takes the days that tell something: at most eight weeks, none from before the first usage. */
export function knownDays<T>(days: readonly T[], bytesOf: (day: T) => Bytes): readonly T[] {
  const recent = days.slice(-HISTORY_DAYS_MAX)
  const begin = recent.findIndex((day) => bytesOf(day) > 0n)
  return begin < 0 ? [] : recent.slice(begin)
}

/**
 * Foretells the days that follow a series of days.
 *
 * Shape: `history` is what `knownDays` takes: ascending, without gaps, up to where the forecast
 * begins. The sums of `low`, `expected` and `high` up to any day ascend in this order. Null: fewer
 * than 14 days are known.
 * Rounding: floats only inside; each day to whole bytes.
 * Limits: it knows no holidays and no launches; a series that repeats exactly has an interval of
 * nothing, because nothing was ever off.
 */
export function forecastDays(history: readonly Bytes[], count: number): DayForecast | null {
  if (history.length < HISTORY_DAYS_MIN) return null
  const days = history.map(Number)
  const shares = weekdayShares(days)
  const plain = days.map((day, index) => withoutShare(day, shareAt(shares, index)))
  const level = fitLevel(plain)
  const ahead = Array.from({ length: count }, (_, index) => shareAt(shares, days.length + index))
  const spread = createSpread(level, ahead, days.length)
  const sums = runningSums(ahead.map((share) => share * level.last))
  const margins = sums.map((_, index) => spread(index + 1))
  return {
    expected: toDays(sums),
    low: toDays(sums.map((sum, index) => sum - (margins[index] ?? 0))),
    high: toDays(sums.map((sum, index) => sum + (margins[index] ?? 0))),
  }
}

interface Level {
  readonly last: number
  readonly pace: number
  /** Variance of a day's error, in units of the level. */
  readonly variance: number
  /** Errors that the variance is known from, less what was fitted to them. */
  readonly freedom: number
}

/** Share of each weekday by its distance from the end of the history: 1 is an average day. */
function weekdayShares(days: readonly number[]): readonly number[] {
  // Whole weeks only, so that every weekday is averaged over the same weeks.
  const whole = days.slice(days.length % WEEK_DAYS)
  const mean = whole.reduce((sum, day) => sum + day, 0) / whole.length
  return Array.from({ length: WEEK_DAYS }, (_, weekday) => {
    const same = whole.filter((_day, index) => index % WEEK_DAYS === weekday)
    const average = same.reduce((sum, day) => sum + day, 0) / same.length
    return mean === 0 ? 1 : average / mean
  }).map((_share, index, all) => {
    // Shares are asked for by position in the history, which may begin within a week.
    const shift = (index - (days.length % WEEK_DAYS) + WEEK_DAYS) % WEEK_DAYS
    return all[shift] ?? 1
  })
}

function shareAt(shares: readonly number[], index: number): number {
  return shares[index % WEEK_DAYS] ?? 1
}

/** A weekday on which nothing ever moves says nothing about the level. */
function withoutShare(day: number, share: number): number | null {
  return share === 0 ? null : day / share
}

function fitLevel(plain: readonly (number | null)[]): Level {
  const known = plain.filter((value) => value !== null)
  assert(known.length > 0, 'a week has a day whose share is not nothing')
  const fits = PACES.map((pace) => followLevel(known, pace))
  return fits.reduce((best, fit) => (fit.variance < best.variance ? fit : best))
}

/** Walks through the days and foretells each from those before it. */
function followLevel(known: readonly number[], pace: number): Level {
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length
  let level = mean
  let squares = 0
  for (const value of known) {
    const error = value - level
    squares += error * error
    level += pace * error
  }
  // One degree for each weekday's share; the level is their mean.
  const freedom = Math.max(known.length - WEEK_DAYS, 1)
  const variance = squares / freedom
  const isNoise = Math.sqrt(variance) < NOISE_MIN * mean
  return { last: isNoise ? mean : level, pace, variance: isNoise ? 0 : variance, freedom }
}

/** Tells how far the sum of the first days may be off, one way. */
function createSpread(
  { pace, variance, freedom }: Level,
  ahead: readonly number[],
  days: number,
): (count: number) => number {
  const factor = tenthOfStudent(freedom) * Math.sqrt(variance)
  return (count) => {
    let own = 0
    let behind = 0
    for (let index = count - 1; index >= 0; index -= 1) {
      const share = ahead[index] ?? 0
      own += (share + pace * behind) ** 2
      behind += share
    }
    const weekdays = Array.from({ length: WEEK_DAYS }, (_, weekday) =>
      ahead
        .slice(0, count)
        .reduce((sum, share, index) => (index % WEEK_DAYS === weekday ? sum + share : sum), 0),
    )
    const known = weekdays.reduce((sum, share) => sum + share * share, 0) * (WEEK_DAYS / days)
    return factor * Math.sqrt(own + known)
  }
}

/**
 * Of Student's distribution, what nine tenths lie below: few errors are known badly.
 *
 * Source: the Cornish–Fisher expansion to the second term.
 */
function tenthOfStudent(freedom: number): number {
  const first = (TENTH ** 3 + TENTH) / (4 * freedom)
  const second = (5 * TENTH ** 5 + 16 * TENTH ** 3 + 3 * TENTH) / (96 * freedom ** 2)
  return TENTH + first + second
}

function runningSums(values: readonly number[]): number[] {
  let sum = 0
  return values.map((value) => (sum += value))
}

/** Days whose sums these are; a sum never falls, and never begins below nothing. */
function toDays(sums: readonly number[]): Bytes[] {
  let before = 0n
  return sums.map((sum) => {
    const rounded = BigInt(Math.round(Math.max(sum, 0)))
    const day = rounded > before ? rounded - before : 0n
    before += day
    return day
  })
}

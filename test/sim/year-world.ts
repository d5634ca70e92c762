/**
 * A year of books, the same for the same seed: every zone with its clock changes, a leap day,
 * packages of all kinds, switches, and usage that comes late, twice, or before its owner is known.
 */
import type { ExclusiveVolume } from '../../src/billing/book.ts'
import type { AreaScope, MeterName, PayMode } from '../../src/catalog/model.ts'
import type { EpochMs } from '../../src/core/clock.ts'
import {
  addDays,
  DAY_MS,
  dayStart,
  fromLocal,
  HOUR_MS,
  type Interval,
  MINUTE_MS,
  toLocal,
} from '../../src/core/period.ts'
import { createRandom, pick, type Random } from '../../src/example/random.ts'
import type { PackageValidity } from '../../src/rating/package-terms.ts'
import type {
  ModeSwitch,
  SimBook,
  SimPackage,
  SimRecord,
  SimResource,
  SimStep,
} from './books-world.ts'
import { monthOf, monthsLater } from './slow-time.ts'
import { packsFor } from './year-packs.ts'

/** How big a world is. */
export interface YearConfig {
  readonly seed: number
  readonly accounts: number
  /** Days that the books live; 366 for the whole year. */
  readonly days: number
  /** Records of one book on one day, on average. */
  readonly recordsPerDay: number
  /** What each run of the clock does, in this order. */
  readonly run: readonly SimStep['kind'][]
}

/** A year with 29 February, for a few accounts. */
export const SMALL_YEAR: YearConfig = {
  seed: 3,
  accounts: 6,
  days: 366,
  recordsPerDay: 5,
  run: ['adjust', 'close'],
}

/** A year for 200 accounts. */
export const FULL_YEAR: YearConfig = { ...SMALL_YEAR, accounts: 200 }

/** Days that change the clock at 02:00, at midnight or by half an hour; parts of an hour. */
export const ZONES = [
  'Asia/Shanghai',
  'America/New_York',
  'Australia/Lord_Howe',
  'Australia/Adelaide',
  'America/St_Johns',
  'Europe/Berlin',
  'Asia/Kolkata',
  'Asia/Kathmandu',
  'Africa/Cairo',
  'Pacific/Auckland',
  'UTC',
  'America/Havana',
] as const

/** Ids are those that the catalog takes. */
const RESOURCE_IDS: Readonly<Record<MeterName, string>> = { cdn: 'ucdn', eip: 'eip', mna: 'mna' }
const METERS: readonly MeterName[] = ['cdn', 'eip', 'mna', 'cdn', 'cdn', 'eip', 'cdn']
const SETTLE_MS = 12 * HOUR_MS
/** The year begins on 1 September 2027, so that 29 February 2028 is in its middle. */
const BEGIN_MS = Date.UTC(2027, 8, 1)
/** No usage is later than this: senders are refused beyond 35 days. */
const LATE_DAYS_MAX = 30

interface Life extends Interval {
  readonly number: number
  readonly accountId: string
  readonly meter: MeterName
  readonly zone: string
  readonly random: Random
}

/** Makes the books of a world. */
export function createYear(config: YearConfig): SimBook[] {
  const steps = stepsOf(config)
  return Array.from({ length: config.accounts }, (_, index) => createBook(config, index, steps))
}

function createBook(config: YearConfig, index: number, steps: readonly SimStep[]): SimBook {
  const random = createRandom(config.seed, `book ${index}`)
  const zone = ZONES[index % ZONES.length] ?? 'UTC'
  // Meters and zones have no common divisor, so that in time each meets each.
  const meter = METERS[index % METERS.length] ?? 'cdn'
  const beginMs = dayStart(BEGIN_MS + Math.floor(random() * 20) * DAY_MS + DAY_MS, zone)
  const startMs = beginMs + whole(random, 0, 600) * MINUTE_MS
  const endMs = addDays(beginMs, config.days, zone)
  const number = index + 1
  const accountId = `acc-${number}`
  const life: Life = { startMs, endMs, number, accountId, meter, zone, random }
  const resources = createResources(life)
  return {
    accountId,
    meter,
    zone,
    resources,
    groups: {},
    firstPack: pick(packsFor(meter), random),
    switches: createSwitches(life),
    packages: createPackages(life, resources),
    exclusive: meter === 'eip' ? createVolumes(life, resources) : [],
    records: createRecords(life, resources, config.recordsPerDay),
    settleMs: SETTLE_MS,
    steps,
  }
}

/** The clock of the operator is one for all books; now and then it stands still for days. */
function stepsOf({ seed, days, run }: YearConfig): SimStep[] {
  const random = createRandom(seed, 'steps')
  const steps: SimStep[] = []
  const lastMs = BEGIN_MS + (days + 25) * DAY_MS
  let atMs = BEGIN_MS + 2 * DAY_MS
  const take = () => {
    for (const kind of run) steps.push({ kind, atMs })
  }
  while (atMs < lastMs) {
    take()
    const wait = random() < 0.03 ? whole(random, 2, 6) * DAY_MS : 12 * HOUR_MS
    // At odd minutes, so that nothing else ever happens in the same one.
    atMs += wait + (whole(random, 0, 59) - 30) * MINUTE_MS + 30_000
    atMs = Math.floor(atMs / MINUTE_MS) * MINUTE_MS + 30_000
  }
  atMs = lastMs + (LATE_DAYS_MAX + 5) * DAY_MS + 30_000
  take()
  return steps
}

function whole(random: Random, from: number, to: number): number {
  return from + Math.floor(random() * (to - from + 1))
}

function chance(random: Random, share: number): boolean {
  return random() < share
}

/** A minute of an interval. */
function minuteIn({ startMs, endMs }: Interval, random: Random): EpochMs {
  const minutes = Math.floor((endMs - startMs) / MINUTE_MS)
  return startMs + Math.floor(random() * minutes) * MINUTE_MS
}

function createResources(life: Life): SimResource[] {
  const { number, meter, random } = life
  const count = whole(random, 2, 4)
  return Array.from({ length: count }, (_, index): SimResource => {
    const isFirst = index === 0
    const quarter = { startMs: life.startMs, endMs: life.startMs + (life.endMs - life.startMs) / 4 }
    const createdMs = isFirst ? life.startMs : minuteIn(quarter, random)
    // Some are known only days after they began to move something.
    const isLate = !isFirst && chance(random, 0.5)
    const registeredMs = isLate ? createdMs + whole(random, 1, 10) * DAY_MS : createdMs
    const replayedMs = isLate ? registeredMs + whole(random, 1, 30) * HOUR_MS : null
    const kind = meter === 'cdn' && chance(random, 0.3) ? 'dynamic' : 'static'
    // From the first to the second by name, or the other way.
    const [first, second] = chance(random, 0.5) ? [1, 2] : [2, 1]
    const projects = [{ fromMs: createdMs, value: `org-${number}-p${first}` }]
    if (chance(random, 0.5)) {
      const fromMs = minuteIn({ startMs: registeredMs + DAY_MS, endMs: life.endMs }, random)
      projects.push({ fromMs, value: `org-${number}-p${second}` })
    }
    const payModes = meter === 'eip' ? payModesOf(life, registeredMs) : []
    const times = { createdMs, registeredMs, replayedMs }
    const paid = { fromMs: createdMs, value: 'Traffic' as const }
    const id = `${RESOURCE_IDS[meter]}-${number}-r${index + 1}`
    return { id, kind, ...times, projects, payModes: [paid, ...payModes] }
  })
}

/** Pay modes of an address: some days see several, the last of which decides the next. */
function payModesOf(life: Life, afterMs: EpochMs): SimResource['payModes'] {
  const { random, zone, endMs } = life
  const modes: { fromMs: EpochMs; value: PayMode }[] = []
  for (let count = whole(random, 0, 3); count > 0; count -= 1) {
    const dayMs = dayStart(minuteIn({ startMs: afterMs + DAY_MS, endMs }, random), zone)
    const day = { startMs: dayMs, endMs: addDays(dayMs, 1, zone) }
    for (let times = whole(random, 1, 3); times > 0; times -= 1) {
      const value = pick(['Traffic', 'Bandwidth', 'ShareBandwidth'] as const, random)
      const fromMs = chance(random, 0.2) ? dayMs : minuteIn(day, random)
      if (modes.every((mode) => mode.fromMs !== fromMs)) modes.push({ fromMs, value })
    }
  }
  return modes.sort((a, b) => a.fromMs - b.fromMs)
}

function createSwitches(life: Life): ModeSwitch[] {
  const { random, zone, meter, startMs, endMs } = life
  const switches: ModeSwitch[] = []
  for (let count = whole(random, 0, 5); count > 0; count -= 1) {
    const dayMs = dayStart(minuteIn({ startMs: startMs + DAY_MS, endMs }, random), zone)
    const day = { startMs: dayMs, endMs: addDays(dayMs, 1, zone) }
    for (let times = whole(random, 1, 3); times > 0; times -= 1) {
      const atMs = chance(random, 0.2) ? dayMs : minuteIn(day, random)
      if (switches.some((other) => other.atMs === atMs)) continue
      switches.push({ atMs, pack: pick(packsFor(meter), random) })
    }
  }
  return switches.sort((a, b) => a.atMs - b.atMs)
}

const AREA_LISTS: readonly (readonly AreaScope[])[] = [
  ['cn'],
  ['cn'],
  ['abroad'],
  ['apac1'],
  ['eu-na'],
  ['apac1', 'cn'],
  ['abroad-other'],
]

function createPackages(life: Life, resources: readonly SimResource[]): SimPackage[] {
  const { number, meter, random, startMs, endMs } = life
  // Packages of one gateway do not stack: each has one in its life.
  const named = new Set<string>()
  return Array.from({ length: whole(random, 4, 16) }, (_, index): SimPackage => {
    const anyMs = minuteIn({ startMs: startMs + HOUR_MS, endMs }, random)
    const purchasedMs = index % 4 === 3 ? onFirstMorning(anyMs, life) : anyMs
    const waits = chance(random, 0.25)
    const beginMs = purchasedMs + (waits ? whole(random, 4, 20) * DAY_MS : 0)
    const scoped = <T>(share: number, list: readonly T[]) => (chance(random, share) ? list : null)
    const isRefunded = waits && chance(random, 0.5)
    // Only what the catalog knows can be named.
    const known = resources.filter(
      ({ id, registeredMs }) => registeredMs <= purchasedMs && (meter !== 'mna' || !named.has(id)),
    )
    const resourceIds = known.length > 0 ? scoped(0.15, [pick(known, random).id]) : null
    for (const id of resourceIds ?? []) named.add(id)
    return {
      id: `pkg-${number}-k${String(index + 1).padStart(2, '0')}`,
      sizeBytes: BigInt(whole(random, 1, 400)) * 1_000_000_000n,
      purchasedMs,
      startMs: beginMs,
      validity: validityOf(beginMs, life),
      areas: meter === 'cdn' ? scoped(0.7, pick(AREA_LISTS, random)) : null,
      kinds: meter === 'cdn' ? scoped(0.6, [pick(['static', 'dynamic'] as const, random)]) : null,
      projectIds: scoped(0.15, [`org-${number}-p${whole(random, 1, 2)}`]),
      resourceIds,
      windows: chance(random, 0.2) ? [{ fromMinute: 1380, toMinute: 450 }] : [],
      refundedMs: isRefunded ? purchasedMs + HOUR_MS : null,
    }
  })
}

/** While the last day of the month before is not settled: its bill is not that of the purchase. */
function onFirstMorning(atMs: EpochMs, { startMs, zone }: Life): EpochMs {
  const morningMs = monthOf(atMs, zone).startMs + (atMs % (11 * HOUR_MS))
  return morningMs < startMs + HOUR_MS ? atMs : morningMs
}

function validityOf(beginMs: EpochMs, { random, zone }: Life): PackageValidity {
  const months = pick([1, 1, 3, 6, 12], random)
  const type = pick(
    ['from-purchase', 'from-purchase', 'from-first-use', 'unlimited'] as const,
    random,
  )
  if (type === 'unlimited') return { type }
  if (type === 'from-first-use') return { type, spanMonths: months }
  return { type, endMs: monthsLater(beginMs, months, zone) }
}

/** Volumes whose anchor some months or years lack, with a time of day of their own. */
function createVolumes(life: Life, resources: readonly SimResource[]): ExclusiveVolume[] {
  const { zone, random } = life
  const time = { hour: whole(random, 0, 23), minute: whole(random, 0, 59), second: 0 }
  const anchors = [
    { year: 2027, month: 10, day: 31 },
    { year: 2027, month: 12, day: 31 },
    { year: 2028, month: 2, day: 29 },
    { year: 2028, month: 1, day: 30 },
  ]
  return resources.flatMap((resource, index): ExclusiveVolume[] => {
    const createdMs = fromLocal({ ...pick(anchors, random), ...time }, zone)
    if (createdMs < resource.registeredMs || chance(random, 0.2)) return []
    const volume = {
      id: `utp-${life.number}-x${index + 1}`,
      resourceId: resource.id,
      sizeBytes: BigInt(whole(random, 1, 40)) * 1_000_000_000n,
      resetPolicy: pick(['Day', 'Month', 'Month', 'Year'] as const, random),
      createdMs,
    }
    return index % 2 === 0 ? [volume] : replaced(volume, life)
  })
}

/** Taken away after some weeks, in the middle of a day, and soon another one in its place. */
function replaced(volume: ExclusiveVolume, { endMs }: Life): ExclusiveVolume[] {
  const deletedMs = volume.createdMs + 33 * DAY_MS + 7 * HOUR_MS + 11 * MINUTE_MS
  const createdMs = deletedMs + 3 * HOUR_MS
  if (createdMs >= endMs) return [volume]
  return [
    { ...volume, deletedMs },
    { ...volume, id: `${volume.id}b`, sizeBytes: volume.sizeBytes * 2n, createdMs },
  ]
}

function createRecords(life: Life, resources: readonly SimResource[], perDay: number): SimRecord[] {
  const { random, zone, accountId } = life
  const records: SimRecord[] = []
  let dayMs = dayStart(life.startMs, zone)
  while (dayMs < life.endMs) {
    const day = { startMs: dayMs, endMs: addDays(dayMs, 1, zone) }
    // Some days are idle, some are busy.
    const count = chance(random, 0.1) ? 0 : whole(random, 1, perDay * 2 - 1)
    for (let index = 0; index < count; index += 1) {
      const minuteMs = usageMinute(day, zone, random)
      const resource = pick(resources, random)
      if (minuteMs < resource.createdMs) continue
      const id = `${accountId}-${records.length}`
      const record = recordOf(id, minuteMs, resource.id, random)
      records.push(record)
      if (chance(random, 0.03)) {
        const again = whole(random, 1, 20 * 1440) * MINUTE_MS
        const latest = minuteMs + LATE_DAYS_MAX * DAY_MS
        records.push({ ...record, arrivedMs: Math.min(record.arrivedMs + again, latest) })
      }
    }
    dayMs = day.endMs
  }
  return records.sort((a, b) => a.arrivedMs - b.arrivedMs)
}

/** Often where mistakes would show: at the ends of a day, in the night when clocks change. */
function usageMinute(day: Interval, zone: string, random: Random): EpochMs {
  const edge = whole(random, 0, 7) * MINUTE_MS
  const where = random()
  if (where < 0.1) return day.startMs + edge
  if (where < 0.2) return day.endMs - MINUTE_MS - edge
  const isLong = day.endMs - day.startMs !== DAY_MS
  if (isLong && where < 0.6) return day.startMs + whole(random, 0, 239) * MINUTE_MS
  // Busy hours, so that slots are shared by several entries.
  const { hour } = toLocal(day.startMs, zone)
  const noonMs = day.startMs + (12 - hour) * HOUR_MS
  if (where < 0.7) return noonMs + whole(random, 0, 14) * MINUTE_MS
  return minuteIn(day, random)
}

function recordOf(id: string, minuteMs: EpochMs, resourceId: string, random: Random): SimRecord {
  const isAbroad = chance(random, 0.3)
  // From a megabyte to some ten gigabytes, small ones as often as large ones; never round.
  const bytes = BigInt(Math.floor(10 ** (6 + 4.5 * random()))) + BigInt(whole(random, 1, 999))
  const usual = minuteMs + whole(random, 1, 10) * MINUTE_MS
  const isLate = chance(random, 0.08)
  const late = minuteMs + whole(random, 1440, LATE_DAYS_MAX * 1440) * MINUTE_MS
  return {
    id,
    minuteMs,
    arrivedMs: isLate ? late : usual,
    resourceId,
    billingRegion: isAbroad ? pick(['abroad', 'apac1', 'eu-na'], random) : 'cn',
    province: isAbroad ? 'others' : pick(['beijing', 'guangdong', 'others'], random),
    direction: chance(random, 0.75) ? 'out' : 'in',
    bytes,
  }
}

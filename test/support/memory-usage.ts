import type { UsageProof } from '../../src/billing/book.ts'
import type {
  BooksRankQuery,
  BooksScope,
  BooksTrafficQuery,
  BooksUsage,
  RankedUsage,
  UsageOrigin,
} from '../../src/billing/books-usage.ts'
import { coversArea } from '../../src/catalog/area-scope.ts'
import type { Area, MeterName } from '../../src/catalog/model.ts'
import { DAY_MS, FIVE_MINUTES_MS, floorTo, MINUTE_MS } from '../../src/core/period.ts'
import { hashContent } from '../../src/rating/pack-hash.ts'
import { mergeTraffic } from '../../src/rating/traffic-order.ts'
import type { BillingRegion } from '../../src/meters/places.ts'
import type { Slot } from '../../src/rating/bandwidth-usage.ts'
import type { TrafficUsage } from '../../src/rating/traffic-usage.ts'

/** One row of measured usage. */
export interface MemoryRow {
  readonly batch: number
  readonly meter: MeterName
  readonly accountId: string
  readonly resourceId: string
  readonly projectId: string
  readonly area: Area
  readonly billingRegion: BillingRegion
  readonly province: string
  readonly kind: 'static' | 'dynamic'
  readonly direction: 'in' | 'out'
  readonly minuteMs: number
  readonly bytes: bigint
}

/** Measured usage in a list that grows at its end: what the engine answers, written plainly. */
export function createMemoryUsage(
  rows: readonly MemoryRow[],
): BooksUsage & RankedUsage & UsageOrigin {
  const index = createIndex(rows)
  const of = ({ meter, accountIds, throughBatch }: BooksScope, startMs: number, endMs: number) =>
    accountIds.flatMap((accountId) =>
      index
        .between(`${meter} ${accountId}`, startMs, endMs)
        .filter(
          (row) =>
            (throughBatch === null || row.batch <= throughBatch) &&
            startMs <= row.minuteMs &&
            row.minuteMs < endMs,
        ),
    )
  const byAccount = <T>(found: readonly MemoryRow[], make: (own: MemoryRow[]) => T) => {
    const groups = groupBy(found, ({ accountId }) => accountId)
    return new Map([...groups].map(([id, own]) => [id, make(own)]))
  }
  const usage: BooksUsage = {
    lastBatch: async (meter) => Math.max(0, ...index.batches(meter).keys()),
    traffic: async (query) => {
      const [first = query.endMs] = query.cutsMs
      const cutOf = (atMs: number): number => query.cutsMs.findLast((cut) => cut <= atMs) ?? first
      return byAccount(of(query, first, query.endMs), (own) =>
        mergeTraffic(
          own.map((row): TrafficUsage => ({
            startMs: cutOf(row.minuteMs),
            ...namesOf(query, row),
            area: row.area,
            billingRegion: query.byRegion ? row.billingRegion : row.area,
            province: query.byProvince ? row.province : '',
            kind: row.kind,
            direction: row.direction,
            bytes: row.bytes,
          })),
        ),
      )
    },
    slots: async (query) => {
      const fits = (row: MemoryRow): boolean =>
        coversArea(query.areas, row) &&
        (query.provinces?.includes(row.province) ?? true) &&
        (query.kinds?.includes(row.kind) ?? true)
      const found = of(query, query.startMs, query.endMs).filter(fits)
      const memberOf = {
        account: 'accountId',
        project: 'projectId',
        resource: 'resourceId',
      } as const
      return byAccount(found, (own) => {
        const members = groupBy(own, (row) => row[memberOf[query.member]])
        return [...members].map(([memberId, list]) => ({
          memberId,
          slots: slotsOf(list, query.samples).filter(
            ({ inBytes, outBytes }) => query.reported === true || inBytes + outBytes > 0n,
          ),
        }))
      })
    },
    proofs: async (query) =>
      byAccount(of(query, query.startMs, query.endMs), (own): UsageProof => {
        const batches = [...new Set(own.map(({ batch }) => batch))].sort((a, b) => a - b)
        const texts = own.map((row) => index.hashOf(row)).sort()
        return {
          throughBatch: query.throughBatch,
          firstBatch: batches[0] ?? 0,
          batches: batches.length,
          rows: own.length,
          hash: hashContent(texts).slice(0, 16),
          geoVersions: [],
        }
      }),
    repair: async () => [],
    lateAccounts: async (meter, interval, after) => {
      const batches = { after, through: Number.MAX_SAFE_INTEGER }
      const found = await usage.late(meter, interval, batches)
      return new Set(found.map(({ accountId }) => accountId))
    },
    late: async (meter, interval, { after, through }, whose) => {
      const loaded = [...index.batches(meter)].filter(
        ([batch]) => after < batch && batch <= through,
      )
      const found = loaded
        .flatMap(([, list]) => list)
        .filter(({ minuteMs }) => interval.startMs <= minuteMs && minuteMs < interval.endMs)
        .filter(({ accountId }) => whose?.accountIds.includes(accountId) ?? true)
        .sort((a, b) => a.batch - b.batch)
      const keys = new Map(
        found.map(({ accountId, minuteMs, batch }) => {
          const startMs = floorTo(minuteMs, 15 * MINUTE_MS)
          return [`${accountId} ${startMs}`, { accountId, startMs, batch }]
        }),
      )
      return [...keys.values()]
    },
  }
  return {
    ...usage,
    batches: async ({ accountId, startMs, endMs, afterBatch, namedMax, ...query }) => {
      const found = of({ ...query, accountIds: [accountId] }, startMs, endMs)
      const numbers = [...new Set(found.map(({ batch }) => batch))]
        .filter((batch) => batch > afterBatch)
        .sort((a, b) => a - b)
      return { numbers: numbers.slice(0, namedMax), count: numbers.length }
    },
    rankedSlots: async (query) => {
      const found = await usage.slots({ ...query, samples: false })
      return new Map(
        [...found].map(([accountId, members]) => [
          accountId,
          members.map(({ memberId, slots }) => ({ memberId, ...rankSlots(query, slots) })),
        ]),
      )
    },
  }
}

/** The names of whom a question tells apart. */
export function namesOf(
  { members = 'resource' }: Pick<BooksTrafficQuery, 'members'>,
  { resourceId, projectId }: Pick<TrafficUsage, 'resourceId' | 'projectId'>,
): Pick<TrafficUsage, 'resourceId' | 'projectId'> {
  return {
    resourceId: members === 'resource' ? resourceId : '',
    projectId: members === 'account' ? '' : projectId,
  }
}

/** Finds rows by what they are asked for by; reads what was appended since the last question. */
function createIndex(rows: readonly MemoryRow[]) {
  const days = new Map<string, MemoryRow[]>()
  const batches = new Map<string, Map<number, MemoryRow[]>>()
  const hashes = new Map<MemoryRow, string>()
  let read = 0
  const readOn = (): void => {
    for (const row of rows.slice(read)) {
      append(days, `${row.meter} ${row.accountId} ${floorTo(row.minuteMs, DAY_MS)}`, row)
      const own = batches.get(row.meter) ?? new Map<number, MemoryRow[]>()
      batches.set(row.meter, own)
      append(own, row.batch, row)
    }
    read = rows.length
  }
  return {
    between(book: string, startMs: number, endMs: number): MemoryRow[] {
      readOn()
      const found: MemoryRow[] = []
      for (let atMs = floorTo(startMs, DAY_MS); atMs < endMs; atMs += DAY_MS) {
        found.push(...(days.get(`${book} ${atMs}`) ?? []))
      }
      return found
    },
    batches(meter: MeterName): ReadonlyMap<number, readonly MemoryRow[]> {
      readOn()
      return batches.get(meter) ?? new Map<number, MemoryRow[]>()
    },
    hashOf(row: MemoryRow): string {
      const hash = hashes.get(row) ?? hashContent(row)
      hashes.set(row, hash)
      return hash
    },
  }
}

function append<K>(groups: Map<K, MemoryRow[]>, key: K, row: MemoryRow): void {
  const group = groups.get(key)
  if (group === undefined) groups.set(key, [row])
  else group.push(row)
}

/** Groups rows by a text, ascending. */
function groupBy(rows: readonly MemoryRow[], keyOf: (row: MemoryRow) => string) {
  const groups = new Map<string, MemoryRow[]>()
  for (const row of rows) append(groups, keyOf(row), row)
  return new Map([...groups].sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Sorts the slots from the highest, passes over the dropped ones; idle ones come last. */
function rankSlots({ startMs, endMs, direction, dropped }: BooksRankQuery, slots: readonly Slot[]) {
  const points = slots.map((slot) => {
    const { outBytes: out, inBytes: into } = slot
    const higher = out > into ? out : into
    const bytes = { out, in: into, sum: out + into, 'max-per-slot': higher }[direction]
    return { startMs: slot.startMs, bytes, isReported: true }
  })
  const sorted = points
    .filter(({ bytes }) => bytes > 0n)
    .sort((a, b) => (a.bytes === b.bytes ? a.startMs - b.startMs : a.bytes > b.bytes ? -1 : 1))
  const found = sorted[dropped]
  if (found !== undefined) return sorted.find(({ bytes }) => bytes === found.bytes) ?? found
  const byStart = new Map(points.map((point) => [point.startMs, point]))
  for (let atMs = startMs; atMs < endMs; atMs += FIVE_MINUTES_MS) {
    const point = byStart.get(atMs)
    if (point === undefined) return { startMs: atMs, bytes: 0n, isReported: false }
    if (point.bytes === 0n) return point
  }
  return { startMs, bytes: 0n, isReported: false }
}

function slotsOf(rows: readonly MemoryRow[], samples: boolean) {
  const slots = groupBy(rows, ({ minuteMs }) => String(floorTo(minuteMs, FIVE_MINUTES_MS)))
  return [...slots].map(([start, own]) => ({
    startMs: Number(start),
    inBytes: sumOf('in', own),
    outBytes: sumOf('out', own),
    ...(samples && { inSampleBpsMax: highest('in', own), outSampleBpsMax: highest('out', own) }),
  }))
}

function sumOf(direction: string, rows: readonly MemoryRow[]): bigint {
  return rows
    .filter((row) => row.direction === direction)
    .reduce((total, { bytes }) => total + bytes, 0n)
}

/** The highest minute, in bit/s. */
function highest(direction: string, rows: readonly MemoryRow[]): bigint {
  const minutes = groupBy(rows, ({ minuteMs }) => String(minuteMs))
  const sums = [...minutes.values()].map((own) => sumOf(direction, own))
  const most = sums.reduce((a, b) => (a > b ? a : b), 0n)
  return (most * 8n) / 60n
}

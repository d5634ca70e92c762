/**
 * Laws of prepaid packages on random small worlds, and a walk byte by byte that shares no code with
 * the fast path but the types.
 */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { type BurnPosting, burnPackages, mergePostings } from './package-burn.ts'
import { type BurnKey, DEFAULT_BURN_ORDER } from './package-order.ts'
import { type PackageUsage, type PrepaidPackage } from './package-terms.ts'
import { runTimeline } from './package-timeline.ts'

const HOUR = 3_600_000
const SHIFT = 8 * HOUR
const ZONE = 'Asia/Shanghai'
/** Some days before the end of a long month, so that a month from here is clamped. */
const BEGIN = Date.parse('2026-01-29T00:00:00+08:00')
const INTERVAL = { startMs: BEGIN, endMs: BEGIN + 60 * 24 * HOUR }

const hour = fc.oneof(
  fc.integer({ min: 0, max: 12 }),
  fc.integer({ min: 0, max: 72 }),
  fc.integer({ min: 0, max: 60 * 24 - 1 }),
)
const instant = hour.map((hours) => BEGIN + hours * HOUR)
const orNull = <T>(value: fc.Arbitrary<T>) => fc.option(value, { freq: 1 })
const kinds = ['static', 'dynamic'] as const
const regions = ['cn', 'abroad', 'apac1', 'latam'] as const
const areas = fc.oneof(
  fc.subarray(['cn', 'abroad'] as const, { minLength: 1 }),
  fc.subarray(['cn', 'apac1', 'latam'] as const, { minLength: 1 }),
)
const minute = fc.integer({ min: 0, max: 23 }).map((hours) => hours * 60)
const validity = (startMs: number) =>
  fc.oneof(
    fc.record({ type: fc.constant('unlimited' as const) }),
    hour.map((hours) => ({ type: 'from-purchase' as const, endMs: startMs + hours * HOUR })),
    hour.map((hours) => ({ type: 'from-first-use' as const, spanMs: (hours + 1) * HOUR })),
    fc.record({
      type: fc.constant('from-first-use' as const),
      spanMonths: fc.integer({ min: 1, max: 2 }),
    }),
  )
const pack: fc.Arbitrary<PrepaidPackage> = instant.chain((startMs) =>
  fc.record({
    id: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f', 'g'),
    sizeBytes: fc.bigInt({ min: 0n, max: 12n }),
    areas: orNull(areas),
    kinds: orNull(fc.subarray([...kinds], { minLength: 1 })),
    projectIds: orNull(fc.subarray(['p', 'q'], { minLength: 1 })),
    resourceIds: orNull(fc.subarray(['r', 's'], { minLength: 1 })),
    windows: fc.oneof(
      { arbitrary: fc.constant([]), weight: 3 },
      fc.array(fc.record({ fromMinute: minute, toMinute: minute }), { maxLength: 2 }),
    ),
    purchasedMs: fc.integer({ min: 0, max: 2 }),
    startMs: fc.constant(startMs),
    validity: validity(startMs),
  }),
)
const packs = fc.uniqueArray(pack, { selector: ({ id }) => id, maxLength: 6 })
const dated = packs.map((list) =>
  list.filter(({ validity: { type } }) => type !== 'from-first-use'),
)
const entry: fc.Arbitrary<PackageUsage> = fc
  .record({
    startMs: instant,
    billingRegion: fc.constantFrom(...regions),
    kind: fc.constantFrom(...kinds),
    projectId: fc.constantFrom('p', 'q'),
    resourceId: fc.constantFrom('r', 's'),
    bytes: fc.bigInt({ min: 0n, max: 6n }),
  })
  .map((usage) => ({ ...usage, area: usage.billingRegion === 'cn' ? 'cn' : 'abroad' }))
const usages = fc.array(entry, { maxLength: 20 })
const orders = fc.oneof(
  fc.constant(DEFAULT_BURN_ORDER),
  fc.shuffledSubarray<BurnKey>([
    'unlimited-first',
    'unlimited-last',
    'earliest-expiry',
    'earliest-purchase',
    'smallest-size',
    'narrowest-scope',
  ]),
)
const absorbs = fc.constantFrom('larger-package' as const, 'never' as const)

const sum = (list: readonly { bytes: bigint }[]) =>
  list.reduce((total, { bytes }) => total + bytes, 0n)

test('every byte is drawn once or in arrears, and no balance is negative', () => {
  fc.assert(
    fc.property(packs, usages, orders, absorbs, (packages, usage, order, absorb) => {
      const run = runTimeline(INTERVAL, packages, usage, { zone: ZONE, order, absorb })
      const absorbed = run.absorptions.flatMap((one) => one.absorbed)
      expect(sum(run.postings)).toBe(sum(usage))
      const unpaid = run.postings.filter(({ packageId }) => packageId === null)
      expect(sum(unpaid)).toBe(sum(run.arrears) + sum(absorbed))
      for (const { packageId, usedBytes, remainingBytes } of run.balances) {
        const drawn = run.postings.filter((one) => one.packageId === packageId)
        const paid = run.absorptions.filter((one) => one.packageId === packageId)
        expect(usedBytes).toBe(sum(drawn) + sum(paid.flatMap((one) => one.absorbed)))
        const size = packages.find(({ id }) => id === packageId)?.sizeBytes
        expect(usedBytes + remainingBytes).toBe(size)
        expect(remainingBytes).toBeGreaterThanOrEqual(0n)
      }
    }),
  )
})

test('the order in which packages and usage are listed changes nothing', () => {
  const shuffled = fc.tuple(packs, usages).chain(([packages, usage]) =>
    fc.record({
      packages: fc.constant(packages),
      usage: fc.constant(usage),
      otherPackages: fc.shuffledSubarray(packages, { minLength: packages.length }),
      otherUsage: fc.shuffledSubarray(usage, { minLength: usage.length }),
    }),
  )
  fc.assert(
    fc.property(shuffled, orders, absorbs, (world, order, absorb) => {
      const options = { zone: ZONE, order, absorb }
      const one = runTimeline(INTERVAL, world.packages, world.usage, options)
      const other = runTimeline(INTERVAL, world.otherPackages, world.otherUsage, options)
      // Slots with the same labels may be listed in either order; what they sum to may not change.
      expect({ ...other, ...sumArrears(other) }).toEqual({ ...one, ...sumArrears(one) })
    }),
  )
})

/** Arrears and absorptions with entries of the same slot and labels summed. */
function sumArrears(run: ReturnType<typeof runTimeline>) {
  const absorptions = run.absorptions.map((one) => ({ ...one, absorbed: sumSlots(one.absorbed) }))
  return { arrears: sumSlots(run.arrears), absorptions }
}

function sumSlots(usage: readonly PackageUsage[]): Record<string, bigint> {
  const sums: Record<string, bigint> = {}
  for (const { startMs, billingRegion, kind, projectId, resourceId, bytes } of usage) {
    const key = [startMs, billingRegion, kind, projectId, resourceId].join()
    sums[key] = (sums[key] ?? 0n) + bytes
  }
  return sums
}

test('burning two adjacent ranges one after the other is burning them at once', () => {
  fc.assert(
    fc.property(packs, usages, orders, instant, (packages, usage, order, cutMs) => {
      const options = { zone: ZONE, order }
      const before = usage.filter(({ startMs }) => startMs < cutMs)
      const after = usage.filter(({ startMs }) => startMs >= cutMs)
      const first = burnPackages(packages, before, options)
      const second = burnPackages(packages, after, options, first.balances)
      expect({
        postings: mergePostings([...first.postings, ...second.postings]),
        balances: second.balances,
        arrears: [...first.arrears, ...second.arrears],
      }).toEqual(burnPackages(packages, usage, options))
    }),
  )
})

test('a timeline run in two pieces is the timeline run at once', () => {
  fc.assert(
    fc.property(
      packs,
      usages,
      orders,
      absorbs,
      instant,
      (packages, usage, order, absorb, cutMs) => {
        const options = { zone: ZONE, order, absorb }
        const before = usage.filter(({ startMs }) => startMs < cutMs)
        const after = usage.filter(({ startMs }) => startMs >= cutMs)
        const past = { startMs: INTERVAL.startMs, endMs: cutMs }
        const rest = { startMs: cutMs, endMs: INTERVAL.endMs }
        const first = runTimeline(past, packages, before, options)
        const second = runTimeline(rest, packages, after, options, first)
        expect({
          ...second,
          postings: mergePostings([...first.postings, ...second.postings]),
          absorptions: [...first.absorptions, ...second.absorptions],
        }).toEqual(runTimeline(INTERVAL, packages, usage, options))
      },
    ),
  )
})

test('another package never adds arrears, where ends do not depend on use', () => {
  fc.assert(
    fc.property(dated, usages, orders, (packages, usage, order) => {
      const all = burnPackages(packages, usage, { zone: ZONE, order })
      const fewer = burnPackages(packages.slice(1), usage, { zone: ZONE, order })
      expect(sum(all.arrears)).toBeLessThanOrEqual(sum(fewer.arrears))
    }),
  )
})

test('a walk byte by byte comes to the same postings, rests and arrears', () => {
  fc.assert(
    fc.property(packs, usages, orders, absorbs, (packages, usage, order, absorb) => {
      const run = runTimeline(INTERVAL, packages, usage, { zone: ZONE, order, absorb })
      const walked = walk(packages, usage, order, absorb)
      expect(postingTable(run.postings)).toEqual(walked.postings)
      expect(sumSlots(run.arrears)).toEqual(walked.arrears)
      for (const { packageId, remainingBytes } of run.balances) {
        expect(remainingBytes).toBe(walked.left.get(packageId))
      }
    }),
    { numRuns: 1000 },
  )
})

function postingTable(postings: readonly BurnPosting[]): Record<string, bigint> {
  const keyed = postings.map((one) => [`${one.dayMs} ${one.packageId}`, one.bytes] as const)
  expect(new Set(keyed.map(([key]) => key)).size).toBe(keyed.length)
  return Object.fromEntries(keyed)
}

/** The obvious way: moment after moment, byte after byte asks who pays for it. */
function walk(
  packages: readonly PrepaidPackage[],
  usage: readonly PackageUsage[],
  order: readonly BurnKey[],
  absorb: 'larger-package' | 'never',
) {
  const left = new Map(packages.map(({ id, sizeBytes }) => [id, sizeBytes]))
  const firstUse = new Map<string, number>()
  const postings: Record<string, bigint> = {}
  let owed: PackageUsage[] = []
  const moments = new Set([...packages, ...usage].map(({ startMs }) => startMs))
  const take = (one: PrepaidPackage, atMs: number) => {
    left.set(one.id, (left.get(one.id) ?? 0n) - 1n)
    if (!firstUse.has(one.id)) firstUse.set(one.id, atMs)
  }
  for (const nowMs of [...moments].sort((a, b) => a - b)) {
    let begun = packages.filter((one) => absorb !== 'never' && one.startMs === nowMs)
    while (begun.length > 0) {
      const one = firstOf(begun, order, firstUse)
      begun = begun.filter(({ id }) => id !== one.id)
      const debt = owed.filter((byte) => fits(one, byte))
      if (endByHand(one, firstUse) <= nowMs || (left.get(one.id) ?? 0n) <= debt.length) continue
      debt.forEach(() => take(one, nowMs))
      owed = owed.filter((byte) => !fits(one, byte))
    }
    for (const byte of bytesAt(usage, nowMs)) {
      const able = packages.filter(
        (one) =>
          one.startMs <= nowMs &&
          nowMs < endByHand(one, firstUse) &&
          (left.get(one.id) ?? 0n) > 0n &&
          fits(one, byte),
      )
      const payer = able.length === 0 ? null : firstOf(able, order, firstUse)
      if (payer === null) owed.push(byte)
      else take(payer, nowMs)
      const day = Math.floor((nowMs + SHIFT) / (24 * HOUR)) * 24 * HOUR - SHIFT
      const key = `${day} ${payer === null ? null : payer.id}`
      postings[key] = (postings[key] ?? 0n) + 1n
    }
  }
  return { postings, left, arrears: sumSlots(owed) }
}

/**
 * Single bytes of a moment: abroad, then cn; dynamic, then static; by project; by resource; abroad
 * first where the region is not known, then by region.
 */
function bytesAt(usage: readonly PackageUsage[], nowMs: number): PackageUsage[] {
  const found: PackageUsage[] = []
  const groups = [['abroad', 'apac1', 'latam'], ['cn']].flatMap((group) =>
    kinds
      .toSorted()
      .flatMap((kind) =>
        ['p', 'q'].flatMap((projectId) =>
          ['r', 's'].flatMap((resourceId) =>
            group.map((billingRegion) => ({ billingRegion, kind, projectId, resourceId })),
          ),
        ),
      ),
  )
  for (const { billingRegion, kind, projectId, resourceId } of groups) {
    for (const one of usage) {
      if (one.startMs !== nowMs || one.billingRegion !== billingRegion) continue
      if (one.kind !== kind || one.projectId !== projectId) continue
      if (one.resourceId !== resourceId) continue
      for (let byte = 0n; byte < one.bytes; byte += 1n) found.push({ ...one, bytes: 1n })
    }
  }
  return found
}

function fits(one: PrepaidPackage, byte: PackageUsage): boolean {
  const where = byte.billingRegion
  const isThere = (area: string): boolean => area === where || (area === 'abroad' && where !== 'cn')
  if (one.areas !== null && !one.areas.some(isThere)) return false
  if (one.kinds !== null && !one.kinds.some((kind) => kind === byte.kind)) return false
  if (one.projectIds !== null && !one.projectIds.some((id) => id === byte.projectId)) return false
  if (one.resourceIds !== null && !one.resourceIds.some((id) => id === byte.resourceId)) {
    return false
  }
  return openByHand(one).has(new Date(byte.startMs + SHIFT).getUTCHours())
}

/** Windows of these worlds are whole hours: the clock is turned from one to the other. */
function openByHand({ windows }: PrepaidPackage): Set<number> {
  if (windows.length === 0) return new Set(Array.from({ length: 24 }, (_, index) => index))
  const open = new Set<number>()
  for (const { fromMinute, toMinute } of windows) {
    let hours = fromMinute / 60
    do {
      open.add(hours)
      hours = (hours + 1) % 24
    } while (hours !== toMinute / 60)
  }
  return open
}

function endByHand({ id, validity: terms }: PrepaidPackage, firstUse: Map<string, number>): number {
  if (terms.type === 'from-purchase') return terms.endMs
  const usedMs = firstUse.get(id)
  if (terms.type === 'unlimited' || usedMs === undefined) return Number.POSITIVE_INFINITY
  if ('spanMs' in terms) return usedMs + terms.spanMs
  const local = new Date(usedMs + SHIFT)
  const wanted = local.getUTCDate()
  local.setUTCMonth(local.getUTCMonth() + terms.spanMonths)
  // A day that the month lacks has run over into the next: back to the last day before it.
  if (local.getUTCDate() !== wanted) local.setUTCDate(0)
  return local.getTime() - SHIFT
}

/** Key by key, keeps those with the smallest value. */
function firstOf(
  packages: readonly PrepaidPackage[],
  order: readonly BurnKey[],
  firstUse: Map<string, number>,
): PrepaidPackage {
  const values: Record<BurnKey, ((one: PrepaidPackage) => number)[]> = {
    'unlimited-first': [(one) => (one.validity.type === 'unlimited' ? 0 : 1)],
    'unlimited-last': [(one) => (one.validity.type === 'unlimited' ? 1 : 0)],
    'earliest-expiry': [(one) => endByHand(one, firstUse)],
    'earliest-purchase': [(one) => one.purchasedMs],
    'smallest-size': [(one) => Number(one.sizeBytes)],
    'narrowest-scope': [
      (one) => one.resourceIds?.length ?? 9,
      (one) => one.projectIds?.length ?? 9,
      // Abroad is six regions, and what no region is known of.
      (one) => one.areas?.reduce((count, area) => count + (area === 'abroad' ? 7 : 1), 0) ?? 9,
      (one) => one.kinds?.length ?? 9,
      (one) => openByHand(one).size,
    ],
    id: [(one) => one.id.charCodeAt(0)],
  }
  let left = packages
  for (const valueOf of [...order, 'id' as const].flatMap((key) => values[key])) {
    const least = Math.min(...left.map(valueOf))
    left = left.filter((one) => valueOf(one) === least)
  }
  const [first] = left
  if (first === undefined) throw new Error('nobody to choose from')
  return first
}

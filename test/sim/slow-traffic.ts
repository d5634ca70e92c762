/** Usage priced by volume, by rules that look at every piece of it. */
import type { TrafficBillLine } from '../../src/billing/bill.ts'
import type { AreaScope } from '../../src/catalog/model.ts'
import type { EpochMs } from '../../src/core/clock.ts'
import { divRound, formatMoney, priceOf } from '../../src/core/money.ts'
import type { Interval } from '../../src/core/period.ts'
import type { Bytes } from '../../src/core/units.ts'
import type { BillingRegion } from '../../src/meters/places.ts'
import type { ArrearsPolicy, DailyOrder } from '../../src/rating/package-arrears.ts'
import type { RulePack } from '../../src/rating/rule-pack.ts'
import type { Rule, TrafficRule } from '../../src/rating/rules.ts'
import type { TrafficUsage } from '../../src/rating/traffic-usage.ts'
import { holds, isOpen, SLOT_MS } from './slow-time.ts'

/** What one resource moved between two cuts, and the names of the rules that price it. */
export interface Piece extends TrafficUsage {
  readonly rules: readonly string[]
}

/** Whose usage is priced, and by what. */
export interface TrafficTerms {
  readonly accountId: string
  readonly zone: string
  readonly groups: Readonly<Record<string, readonly string[]>>
  readonly pack: RulePack
  /** Resources with a refilling volume: they have no free days, the volume takes their place. */
  readonly volumes?: ReadonlySet<string>
}

/** The rules of a pack that price volumes. */
export function trafficRulesOf(pack: RulePack): TrafficRule[] {
  return pack.rules.filter((rule) => rule.type === 'traffic')
}

/** Whose sum an entry belongs to at a rule's level; undefined: nobody's. */
export function memberOf(
  level: TrafficRule['level'],
  { resourceId, projectId }: Pick<TrafficUsage, 'resourceId' | 'projectId'>,
  { accountId, groups }: Pick<TrafficTerms, 'accountId' | 'groups'>,
): string | undefined {
  if (level === 'account') return accountId
  if (level === 'project') return projectId
  if (level === 'resource') return resourceId
  for (const [name, ids] of Object.entries(groups)) {
    if (ids.includes(resourceId)) return name
  }
  return undefined
}

/** Whether a list of areas and regions names where usage moved. */
export function isAmong(
  areas: readonly AreaScope[] | null,
  { billingRegion }: Pick<TrafficUsage, 'billingRegion'>,
): boolean {
  if (areas === null) return true
  for (const area of areas) {
    if (area === billingRegion || (area === 'abroad' && billingRegion !== 'cn')) return true
    if (area === 'abroad-other' && billingRegion === 'abroad') return true
  }
  return false
}

function isInScope({ scope }: TrafficRule, entry: TrafficUsage): boolean {
  if (!isAmong(scope.areas ?? null, entry)) return false
  if (scope.provinces !== undefined && !scope.provinces.includes(entry.province)) return false
  if (scope.kinds !== undefined && !scope.kinds.includes(entry.kind)) return false
  return scope.directions === undefined || scope.directions.includes(entry.direction)
}

/** The names of the rules that price an entry of a day. */
function rulesFor(
  entry: TrafficUsage,
  ofDay: readonly TrafficUsage[],
  terms: TrafficTerms,
): string[] {
  const names: string[] = []
  for (const rule of trafficRulesOf(terms.pack)) {
    if (!isInScope(rule, entry) || memberOf(rule.level, entry, terms) === undefined) continue
    if (!isOpen(rule.windows, entry.startMs, terms.zone)) continue
    // Looked at over the whole day, windows or not.
    let moved = 0n
    for (const other of ofDay) {
      if (other.resourceId === entry.resourceId && isInScope(rule, other)) moved += other.bytes
    }
    const hasVolume = terms.volumes?.has(entry.resourceId) ?? false
    if (moved < rule.freeBelowBytesPerDay && !hasVolume) continue
    names.push(rule.name)
  }
  return names
}

/** When the stretch begins in which an entry is summed: its slot, or a cut inside of it. */
function pieceStart(
  minuteMs: EpochMs,
  cutsMs: readonly EpochMs[],
  open: (atMs: EpochMs) => string,
): EpochMs {
  const slotMs = Math.floor(minuteMs / SLOT_MS) * SLOT_MS
  let startMs = slotMs
  for (let atMs = slotMs + 60_000; atMs <= minuteMs; atMs += 60_000) {
    if (cutsMs.includes(atMs) || open(atMs) !== open(atMs - 60_000)) startMs = atMs
  }
  return startMs
}

/**
 * Sums a day's usage into pieces that its rules price: five minutes each, cut where something
 * changes. Free usage and what no rule names is left out.
 */
export function piecesOf(
  ofDay: readonly TrafficUsage[],
  terms: TrafficTerms,
  cuts: {
    readonly atMs: readonly EpochMs[]
    readonly windows: readonly TrafficRule['windows'][]
  },
): Piece[] {
  const open = (atMs: EpochMs): string =>
    cuts.windows.map((windows) => isOpen(windows, atMs, terms.zone)).join(' ')
  const sums = new Map<string, Piece>()
  for (const entry of ofDay) {
    const rules = rulesFor(entry, ofDay, terms)
    if (rules.length === 0) continue
    const startMs = pieceStart(entry.startMs, cuts.atMs, open)
    const key = keyOf({ ...entry, startMs })
    const bytes = (sums.get(key)?.bytes ?? 0n) + entry.bytes
    const { resourceId, projectId, area, billingRegion, province, kind, direction } = entry
    const place = { area, billingRegion, province, kind, direction }
    sums.set(key, { startMs, resourceId, projectId, ...place, bytes, rules })
  }
  return [...sums.values()].sort(comparePieces)
}

/** What tells a piece apart from others. */
export function keyOf(entry: TrafficUsage): string {
  const { startMs, resourceId, projectId, billingRegion, kind, province, direction } = entry
  return JSON.stringify([startMs, resourceId, projectId, billingRegion, kind, province, direction])
}

function compare(a: readonly (number | string)[], b: readonly (number | string)[]): number {
  for (const [index, one] of a.entries()) {
    const other = b[index] ?? 0
    if (one !== other) return one < other ? -1 : 1
  }
  return 0
}

/** The order in which usage is read, and in which refilling volumes cover it. */
export function comparePieces(a: Piece, b: Piece): number {
  const row = (of: Piece) => {
    const side = of.direction === 'out' ? 0 : 1
    const place = [of.area, of.billingRegion, of.kind, of.province]
    return [of.startMs, of.resourceId, of.projectId, ...place, side]
  }
  return compare(row(a), row(b))
}

/** The order in which packages are drawn from. */
export function compareForDraw(a: Piece, b: Piece): number {
  const row = (of: Piece) => {
    return [of.startMs, of.area, of.kind, of.projectId, of.resourceId, of.billingRegion]
  }
  return compare(row(a), row(b)) || comparePieces(a, b)
}

/** What is ordered post-paid, and the pieces that are priced for it. */
export interface Ordered {
  readonly orders: readonly DailyOrder[]
  readonly pieces: readonly Piece[]
}

/**
 * Orders arrears by area and kind, in whole quanta; by region instead of area when a rule names a
 * region. What rounding takes away or adds belongs to the last pieces of an order.
 */
export function orderArrears(
  arrears: readonly Piece[],
  policy: ArrearsPolicy,
  rules: readonly Pick<Rule, 'type' | 'scope'>[] = [],
): Ordered {
  const named = rules.flatMap(({ type, scope }) => (type === 'traffic' ? (scope.areas ?? []) : []))
  const byRegion = named.some((area) => area !== 'cn' && area !== 'abroad')
  const orderOf = (piece: Piece): BillingRegion => (byRegion ? piece.billingRegion : piece.area)
  const orders: DailyOrder[] = []
  const pieces: Piece[] = []
  for (const area of [...new Set(arrears.map(orderOf))].sort()) {
    for (const kind of ['dynamic', 'static'] as const) {
      const mine = arrears.filter((piece) => orderOf(piece) === area && piece.kind === kind)
      const arrearsBytes = sumOf(mine)
      if (mine.length === 0) continue
      const orderedBytes = toQuanta(arrearsBytes, policy)
      orders.push({ area, kind, arrearsBytes, orderedBytes })
      let open = orderedBytes
      for (const [index, piece] of mine.sort(compareForDraw).entries()) {
        const isLast = index === mine.length - 1
        const bytes = isLast || open < piece.bytes ? open : piece.bytes
        open -= bytes
        if (bytes > 0n) pieces.push({ ...piece, bytes })
      }
    }
  }
  return { orders, pieces }
}

function toQuanta(bytes: Bytes, { quantumBytes: quantum, rounding }: ArrearsPolicy): Bytes {
  const below = bytes - (bytes % quantum)
  const rest = bytes - below
  if (rest === 0n || rounding === 'down') return below
  if (rounding === 'up') return below + quantum
  return rest * 2n >= quantum ? below + quantum : below
}

/** Adds up bytes. */
export function sumOf(list: readonly { readonly bytes: Bytes }[]): Bytes {
  let sum = 0n
  for (const { bytes } of list) sum += bytes
  return sum
}

/** What the rules of one period (day or month) make of pieces that were ordered in a span. */
export function trafficLines(
  pieces: readonly Piece[],
  period: TrafficRule['period'],
  span: Interval,
  terms: TrafficTerms,
): TrafficBillLine[] {
  const lines: TrafficBillLine[] = []
  const inside = pieces.filter(({ startMs }) => holds(span, startMs))
  for (const rule of trafficRulesOf(terms.pack)) {
    if (rule.period !== period) continue
    const mine = inside.filter(({ rules }) => rules.includes(rule.name))
    const members = new Set(mine.map((piece) => memberOf(rule.level, piece, terms) ?? ''))
    for (const member of [...members].sort()) {
      const own = mine.filter((piece) => memberOf(rule.level, piece, terms) === member)
      lines.push(...linesOfSum(rule, member, sumOf(own), span, terms.pack.currency))
    }
  }
  return lines
}

function linesOfSum(
  rule: TrafficRule,
  member: string,
  raw: Bytes,
  span: Interval,
  currency: string,
): TrafficBillLine[] {
  const billed = divRound(raw * rule.overhead.numerator, rule.overhead.denominator)
  const shares =
    rule.tiering === 'volume' ? wholeTier(rule, raw, billed) : eachTier(rule, raw, billed)
  return shares
    .filter((share) => share.raw > 0n || share.billed > 0n)
    .map((share): TrafficBillLine => {
      const price = rule.tiers[share.tier]?.price ?? 0n
      return {
        type: 'traffic',
        rule: rule.name,
        member,
        start: new Date(span.startMs).toISOString(),
        end: new Date(span.endMs).toISOString(),
        tier: share.tier + 1,
        rawBytes: String(share.raw),
        billedBytes: String(share.billed),
        unit: rule.radix === 1000 ? 'GB' : 'GiB',
        price: formatMoney(price),
        amount: formatMoney(
          priceOf(share.billed, price, rule.radix === 1000 ? 10n ** 9n : 2n ** 30n),
        ),
        currency,
      }
    })
}

interface Share {
  readonly tier: number
  readonly raw: Bytes
  readonly billed: Bytes
}

/** The tier that is reached prices all; exactly the bound still belongs to the tier below it. */
function wholeTier({ tiers }: TrafficRule, raw: Bytes, billed: Bytes): Share[] {
  for (const [tier, { upToBytes }] of tiers.entries()) {
    if (upToBytes === null || billed <= upToBytes) return [{ tier, raw, billed }]
  }
  throw new Error('the last tier is without end')
}

/** Each tier prices what falls into it. */
function eachTier({ tiers }: TrafficRule, raw: Bytes, billed: Bytes): Share[] {
  if (billed === 0n) return [{ tier: 0, raw, billed }]
  let rawBelow = 0n
  let billedBelow = 0n
  return tiers.map(({ upToBytes }, tier) => {
    const upTo = upToBytes === null || upToBytes > billed ? billed : upToBytes
    // Raw byte k of n lies with its middle at (k - 1/2) × billed ÷ n; so many lie below the bound.
    const rawUpTo = (2n * raw * upTo + billed) / (2n * billed)
    const share = { tier, raw: rawUpTo - rawBelow, billed: upTo - billedBelow }
    rawBelow = rawUpTo
    billedBelow = upTo
    return share
  })
}

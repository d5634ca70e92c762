/** Refilling volumes, packages and arrears, one entry of usage after the other. */
import type { ExclusiveVolume } from '../../src/billing/book.ts'
import type { EpochMs } from '../../src/core/clock.ts'
import type { Interval } from '../../src/core/period.ts'
import type { Bytes } from '../../src/core/units.ts'
import type { ArrearsPolicy } from '../../src/rating/package-arrears.ts'
import type { BurnKey } from '../../src/rating/package-order.ts'
import type { PrepaidPackage } from '../../src/rating/package-terms.ts'
import { isOpen, isOpenAt, monthsLater, resetBefore } from './slow-time.ts'
import { compareForDraw, isAmong, type Piece } from './slow-traffic.ts'

/** How far one package is used up. */
export interface Tank {
  used: Bytes
  firstUseMs: EpochMs | null
}

/** Bytes that a package gave; of nobody: arrears. */
export interface Given {
  readonly packageId: string | null
  readonly bytes: Bytes
}

/** What is carried from day to day. Changed in place. */
export interface Carried {
  readonly tanks: Map<string, Tank>
  /** Used up of each refilling volume, by its id and the begin of its period. */
  readonly exclusive: Map<string, Bytes>
  arrears: Piece[]
}

/** What an account's packages are drawn by. */
export interface DrawTerms {
  readonly zone: string
  readonly burnOrder: readonly BurnKey[]
  readonly absorb: ArrearsPolicy['absorb']
}

/** Begins a book. */
export function emptyCarried(): Carried {
  return { tanks: new Map(), exclusive: new Map(), arrears: [] }
}

/** The package's state, made when it is first asked for. */
function tankOf(carried: Carried, packageId: string): Tank {
  const tank = carried.tanks.get(packageId) ?? { used: 0n, firstUseMs: null }
  carried.tanks.set(packageId, tank)
  return tank
}

/** The end of a package as far as it is known; undefined: none, or none yet. */
export function endOf(pack: PrepaidPackage, tank: Tank, zone: string): EpochMs | undefined {
  if (pack.validity.type === 'from-purchase') return pack.validity.endMs
  if (pack.validity.type === 'unlimited' || tank.firstUseMs === null) return undefined
  if ('spanMs' in pack.validity) return tank.firstUseMs + pack.validity.spanMs
  return monthsLater(tank.firstUseMs, pack.validity.spanMonths, zone)
}

function allows<T>(list: readonly T[] | null, value: T): boolean {
  return list === null || list.includes(value)
}

/** Whether a package is made for such usage, valid or not. */
function isFor(pack: PrepaidPackage, piece: Piece, zone: string): boolean {
  return (
    isAmong(pack.areas, piece) &&
    allows(pack.kinds, piece.kind) &&
    allows(pack.projectIds, piece.projectId) &&
    allows(pack.resourceIds, piece.resourceId) &&
    isOpen(pack.windows, piece.startMs, zone)
  )
}

/** How many minutes of a day of 24 hours a package is open. */
function openMinutes({ windows }: PrepaidPackage): number {
  let open = 0
  for (let minute = 0; minute < 1440; minute += 1) {
    if (isOpenAt(windows, minute)) open += 1
  }
  return open
}

/** The number by which a key ranks; the smaller goes first. */
function rankBy(key: BurnKey, pack: PrepaidPackage, endMs: EpochMs | undefined): number[] {
  const unlimited = pack.validity.type === 'unlimited'
  const size = (list: readonly unknown[] | null) => list?.length ?? Infinity
  switch (key) {
    case 'unlimited-first':
      return [unlimited ? 0 : 1]
    case 'unlimited-last':
      return [unlimited ? 1 : 0]
    case 'earliest-expiry':
      return [endMs ?? Infinity]
    case 'earliest-purchase':
      return [pack.purchasedMs]
    case 'smallest-size':
      return [Number(pack.sizeBytes)]
    case 'narrowest-scope': {
      const { resourceIds, projectIds, areas, kinds } = pack
      // All that is abroad are its six regions, and what moved nobody knows where.
      const places = areas?.flatMap((area) => (area === 'abroad' ? Array(7).fill(area) : [area]))
      const lists = [resourceIds, projectIds, places ?? null, kinds]
      return [...lists.map(size), openMinutes(pack)]
    }
    case 'id':
      return []
  }
}

/** Packages as they would be used up now, the first one first. */
function ranked(
  packages: readonly PrepaidPackage[],
  carried: Carried,
  { zone, burnOrder }: DrawTerms,
): PrepaidPackage[] {
  const rows = packages.map((pack) => {
    const endMs = endOf(pack, tankOf(carried, pack.id), zone)
    return { pack, ranks: burnOrder.flatMap((key) => rankBy(key, pack, endMs)) }
  })
  rows.sort((a, b) => {
    for (const [index, rank] of a.ranks.entries()) {
      const other = b.ranks[index] ?? 0
      if (rank !== other) return rank < other ? -1 : 1
    }
    return a.pack.id < b.pack.id ? -1 : 1
  })
  return rows.map(({ pack }) => pack)
}

/** Draws one piece of usage; what nobody gave is the last of what is returned. */
function drawPiece(
  piece: Piece,
  packages: readonly PrepaidPackage[],
  carried: Carried,
  terms: DrawTerms,
): Given[] {
  const given: Given[] = []
  let open = piece.bytes
  for (const pack of ranked(packages, carried, terms)) {
    const tank = tankOf(carried, pack.id)
    const endMs = endOf(pack, tank, terms.zone) ?? Infinity
    const left = pack.sizeBytes - tank.used
    const isValid = pack.startMs <= piece.startMs && piece.startMs < endMs
    if (open === 0n || left === 0n || !isValid || !isFor(pack, piece, terms.zone)) continue
    const bytes = open < left ? open : left
    open -= bytes
    tank.used += bytes
    tank.firstUseMs ??= piece.startMs
    given.push({ packageId: pack.id, bytes })
  }
  if (open > 0n) given.push({ packageId: null, bytes: open })
  return given
}

/** Lets packages that begin at one instant take arrears: all that are theirs to take, or none. */
function absorbAt(
  atMs: EpochMs,
  packages: readonly PrepaidPackage[],
  carried: Carried,
  terms: DrawTerms,
): Given[] {
  const absorbed: Given[] = []
  if (terms.absorb === 'never') return absorbed
  const beginning = packages.filter(({ startMs }) => startMs === atMs)
  // How they rank depends on what is known when they begin, not on what the first of them took.
  const fresh = { ...carried, tanks: new Map<string, Tank>() }
  for (const pack of ranked(beginning, fresh, terms)) {
    const tank = tankOf(carried, pack.id)
    if (pack.validity.type === 'from-purchase' && pack.validity.endMs <= pack.startMs) continue
    const mine = carried.arrears.filter((piece) => isFor(pack, piece, terms.zone))
    const owed = mine.reduce((sum, { bytes }) => sum + bytes, 0n)
    if (owed === 0n || pack.sizeBytes - tank.used <= owed) continue
    tank.used += owed
    tank.firstUseMs ??= pack.startMs
    carried.arrears = carried.arrears.filter((piece) => !mine.includes(piece))
    absorbed.push({ packageId: pack.id, bytes: owed })
  }
  return absorbed
}

/** Lets the resource's own volume cover a piece; returns what it gave and what is left to pay. */
export function coverPiece(
  piece: Piece,
  volumes: readonly ExclusiveVolume[],
  carried: Carried,
  zone: string,
): { readonly covered: Given[]; readonly left: Piece } {
  const covered: Given[] = []
  let { bytes } = piece
  for (const volume of volumes) {
    if (volume.resourceId !== piece.resourceId || piece.direction !== 'out') continue
    const { createdMs, deletedMs, resetPolicy } = volume
    if (deletedMs !== undefined && deletedMs <= piece.startMs) continue
    const periodMs = resetBefore(createdMs, resetPolicy, piece.startMs, zone)
    if (periodMs === undefined) continue
    const key = `${volume.id} ${periodMs}`
    const used = carried.exclusive.get(key) ?? 0n
    const left = volume.sizeBytes - used
    const taken = bytes < left ? bytes : left
    if (taken <= 0n) continue
    carried.exclusive.set(key, used + taken)
    covered.push({ packageId: volume.id, bytes: taken })
    bytes -= taken
  }
  return { covered, left: { ...piece, bytes } }
}

/** Moments that cut a day because a package begins or ends there. */
export function packageMoments(packages: readonly PrepaidPackage[]): EpochMs[] {
  return packages.flatMap(({ startMs, validity }) =>
    validity.type === 'from-purchase' ? [startMs, validity.endMs] : [startMs],
  )
}

/**
 * Draws pieces in their order; packages that begin in the interval first take the arrears so far.
 * What nobody gives is in arrears.
 */
export function drawAll(
  pieces: readonly Piece[],
  packages: readonly PrepaidPackage[],
  begin: Interval,
  carried: Carried,
  terms: DrawTerms,
): { readonly draws: Given[]; readonly absorptions: Given[] } {
  const draws: Given[] = []
  const absorptions: Given[] = []
  const drawOne = (piece: Piece) => {
    for (const given of drawPiece(piece, packages, carried, terms)) {
      draws.push(given)
      const { packageId, bytes } = given
      if (packageId === null) carried.arrears.push({ ...piece, bytes })
    }
  }
  const sorted = [...pieces].sort(compareForDraw)
  let afterMs = -Infinity
  for (const atMs of beginsIn(packages, begin)) {
    for (const piece of sorted) {
      if (afterMs <= piece.startMs && piece.startMs < atMs) drawOne(piece)
    }
    absorptions.push(...absorbAt(atMs, packages, carried, terms))
    afterMs = atMs
  }
  for (const piece of sorted) {
    if (afterMs <= piece.startMs) drawOne(piece)
  }
  return { draws, absorptions }
}

/** The instants of an interval at which packages begin. */
function beginsIn(packages: readonly PrepaidPackage[], interval: Interval): EpochMs[] {
  const begins = packages
    .map(({ startMs }) => startMs)
    .filter((atMs) => interval.startMs <= atMs && atMs < interval.endMs)
  return [...new Set(begins)].sort((a, b) => a - b)
}

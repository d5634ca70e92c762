import type { BookBalance, PackageNow } from '../../src/billing/balance.ts'
import type { Book, BookFacts, BookStore } from '../../src/billing/book-keeping.ts'
import { EMPTY_STATE } from '../../src/billing/book.ts'
import type { ForecastDeps } from '../../src/billing/forecast-book.ts'
import { addDays, type Interval, localDays } from '../../src/core/period.ts'
import { hashPack } from '../../src/rating/hash-pack.ts'
import type { PrepaidPackage } from '../../src/rating/package-terms.ts'
import { parseRulePack, type RulePack } from '../../src/rating/rule-pack.ts'
import type { TrafficUsage } from '../../src/rating/traffic-usage.ts'
import { CUSTOMER } from './bills.ts'
import { fakeBooksUsage } from './explained-book.ts'

/** Where the customer of these tests lives: no summer time, so days are 24 hours. */
export const ZONE = 'Asia/Shanghai'

/** Midnight of a day in Shanghai. */
export function day(text: string): number {
  return Date.parse(`${text}T00:00:00+08:00`)
}

/** One entry of usage: a gigabyte of static content sent in China at midnight, unless it says. */
export function usageAt(startMs: number, rest: Partial<TrafficUsage> = {}): TrafficUsage {
  return {
    startMs,
    resourceId: 'ucdn-1',
    projectId: 'org-1',
    area: 'cn',
    billingRegion: rest.area ?? 'cn',
    province: '',
    kind: 'static',
    direction: 'out',
    bytes: 1_000_000_000n,
    ...rest,
  }
}

/** Usage of each local day of an interval. */
export function usageOf(
  interval: Interval,
  entriesOf: (startMs: number, index: number) => readonly TrafficUsage[],
): TrafficUsage[] {
  return localDays(interval, ZONE).flatMap(({ startMs }, index) => entriesOf(startMs, index))
}

/** A package of static content in China without end. */
export function packageOf(
  id: string,
  sizeBytes: bigint,
  rest: Partial<PrepaidPackage> = {},
): PrepaidPackage {
  return {
    id,
    sizeBytes,
    areas: ['cn'],
    kinds: ['static'],
    projectIds: null,
    resourceIds: null,
    windows: [],
    purchasedMs: 0,
    startMs: 0,
    validity: { type: 'unlimited' },
    ...rest,
  }
}

/** A package as it stands now. */
export function packageNow(
  entry: PrepaidPackage,
  usedBytes = 0n,
  endMs: number | null = null,
): PackageNow {
  return { package: entry, usedBytes, leftBytes: entry.sizeBytes - usedBytes, endMs }
}

/** A pack whose rules are given as YAML. */
export function packOf(rules: string, name = 'test', packages = ''): RulePack {
  const head = `name: ${name}\nversion: 1\ndescription: test\ncurrency: CNY\n`
  return parseRulePack(`${head}rules:\n${rules}${packages}`, `${name}.yaml`)
}

/** Two yuan for each gigabyte that was sent on a day. */
export const BY_DAY = `  - { type: traffic, name: sent, level: account, scope: { directions: [out] }, unit: GB, period: day, price: "2" }\n`

/** A world in which one account has a book of CDN traffic that began with its usage. */
export interface ForecastWorld {
  readonly pack: RulePack
  readonly usage: readonly TrafficUsage[]
  readonly nowMs: number
  /** Start of the first day that is not closed. */
  readonly closedUntilMs: number
  readonly packages?: readonly PackageNow[]
}

/** Everything that forecasts of the world are made from; no day of its month is closed. */
export function forecastDeps(
  world: ForecastWorld,
): ForecastDeps & { readonly store: Pick<BookStore, 'facts'> } {
  const { pack, usage, nowMs, packages = [] } = world
  const measured = usage.filter(({ startMs }) => startMs < nowMs)
  const facts: BookFacts = {
    ...CUSTOMER,
    packages: packages.map((entry) => ({ terms: entry.package, paid: null, refunded: null })),
    exclusive: [],
    resources: [],
  }
  const mode = {
    ...KEY,
    id: 'mode-1',
    fromMs: 0,
    requestedMs: 0,
    packHash: hashPack(pack),
    groups: {},
    actor: 'test',
  }
  return {
    balance: async () => balanceOf(world),
    usage: fakeBooksUsage(measured.map((entry) => ({ ...entry, batch: 1 }))),
    modes: { history: async () => [mode], pack: async () => pack },
    store: { facts: async () => new Map([[CUSTOMER.id, facts]]) },
    currentBook: async () => ({
      book: bookOf(world),
      facts,
      store: {
        dayRecords: async () => [],
        adjustments: async () => [],
        adjustmentsBooked: async () => [],
      },
    }),
  }
}

const KEY = { accountId: CUSTOMER.id, meter: 'cdn' as const }

function bookOf({ closedUntilMs, packages = [] }: ForecastWorld): Book {
  const balances = packages.map((entry) => ({
    packageId: entry.package.id,
    usedBytes: entry.usedBytes,
    remainingBytes: entry.leftBytes,
    firstUseMs: null,
  }))
  return {
    ...KEY,
    zone: ZONE,
    startMs: closedUntilMs,
    closedUntilMs,
    billedUntilMs: closedUntilMs,
    sequence: 0,
    hash: '',
    state: { ...EMPTY_STATE, balances },
  }
}

function balanceOf({ pack, nowMs, closedUntilMs, packages = [] }: ForecastWorld): BookBalance {
  return {
    ...KEY,
    zone: ZONE,
    asOfMs: nowMs,
    closedUntilMs,
    month: { startMs: nowMs, endMs: addDays(nowMs, 1, ZONE) },
    packages,
    exclusive: [],
    arrearsBytes: 0n,
    monthToDate: [],
    pack: pack.name,
  }
}

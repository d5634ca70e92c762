import type {
  Account,
  Area,
  Brand,
  ExclusivePackage,
  KeyPair,
  Project,
  Region,
  Resource,
  ResourceVersion,
  TrafficPackage,
} from '../../src/catalog/model.ts'
import type { BillingRegion } from '../../src/meters/places.ts'
import type { OperationDeps } from '../../src/api/operations/caller.ts'
import type {
  BalanceReader,
  BooksReader,
  CatalogReader,
  ClosedDay,
  ModeSwitch,
  PackageOrders,
  ProvinceSeriesQuery,
  UsageReader,
} from '../../src/api/operations/ports.ts'
import { bucketStart } from '../../src/api/operations/buckets.ts'
import { AppError } from '../../src/core/errors.ts'
import { floorTo, MINUTE_MS, resetPeriod } from '../../src/core/period.ts'
import type { UsageQuery } from '../../src/meters/query.ts'
import { burnPackages } from '../../src/rating/package-burn.ts'
import { DEFAULT_BURN_ORDER } from '../../src/rating/package-order.ts'
import { termsOf } from '../../src/rating/package-terms.ts'
import { endOf } from '../../src/rating/package-validity.ts'
import { fakeOrders } from './packages.ts'

/** A clock that stands still until it is told otherwise. */
export function fakeClock(nowMs: number) {
  return {
    ms: nowMs,
    nowMs(): number {
      return this.ms
    },
  }
}

/** One measured quantity; what a meter does not have stays out. */
export interface FakeUsage {
  readonly meter: 'cdn' | 'eip' | 'mna'
  readonly atMs: number
  readonly bytes: bigint
  readonly accountId: string
  readonly resourceId: string
  readonly projectId?: string
  readonly kind?: 'static' | 'dynamic'
  readonly area?: Area
  /** As its area when absent. */
  readonly billingRegion?: BillingRegion
  readonly province?: string
  readonly isp?: string
  readonly direction?: 'in' | 'out' | 'up' | 'down'
  readonly gatewayType?: '0' | '1'
  readonly accessRegion?: string
}

/** Everything the operations may read, in memory and open to change by a test. */
export interface FakeWorld {
  readonly clock: ReturnType<typeof fakeClock>
  readonly brands: Brand[]
  readonly accounts: Account[]
  readonly keys: (KeyPair & { readonly secret: string })[]
  readonly projects: Project[]
  readonly regions: Region[]
  readonly resources: Resource[]
  readonly versions: ResourceVersion[]
  readonly trafficPackages: TrafficPackage[]
  readonly exclusivePackages: ExclusivePackage[]
  readonly closedDays: (ClosedDay & { readonly resourceId: string })[]
  readonly usage: FakeUsage[]
  /** Charge types that were switched to, in order. */
  readonly switches: Parameters<ModeSwitch['switchType']>[0][]
  /** Packages that were bought, in order. */
  readonly orders: Parameters<PackageOrders['buy']>[0][]
}

/** An empty world at the given moment. */
export function fakeWorld(nowMs: number): FakeWorld {
  return {
    clock: fakeClock(nowMs),
    brands: [],
    accounts: [],
    keys: [],
    projects: [],
    regions: [],
    resources: [],
    versions: [],
    trafficPackages: [],
    exclusivePackages: [],
    closedDays: [],
    usage: [],
    switches: [],
    orders: [],
  }
}

/** Readers over the world, for anything that takes `OperationDeps`. */
export function fakeDeps(world: FakeWorld): OperationDeps {
  return {
    catalog: fakeCatalog(world),
    usage: fakeUsage(world),
    books: fakeBooks(world),
    modes: fakeModes(world),
    orders: fakeOrders(world),
    clock: world.clock,
    balances: fakeBalances(world),
  }
}

function fakeModes(world: FakeWorld): ModeSwitch {
  return {
    switchType: async (request) => {
      if (!['traffic', 'bandwidth'].includes(request.chargeType)) {
        const message = `"${request.chargeType}" is no charge type.`
        throw new AppError('parameter_invalid', message, { field: 'chargeType' })
      }
      world.switches.push(request)
    },
  }
}

function fakeCatalog(world: FakeWorld): CatalogReader {
  const ownerOf = (account: Account): string => account.parentId ?? account.id
  return {
    brandOf: async (host) => {
      const brand =
        world.brands.find(({ hosts }) => hosts.includes(host)) ??
        world.brands.find(({ hosts }) => hosts.length === 0) ??
        world.brands[0]
      if (brand === undefined) throw new Error('the world has no brand')
      return brand
    },
    credential: async (publicKey) => {
      const found = world.keys.find((key) => key.publicKey === publicKey && key.active)
      const account = world.accounts.find(({ id }) => id === found?.accountId)
      if (found === undefined || account === undefined) return undefined
      const { secret, ...key } = found
      return { key, secret, account }
    },
    account: async (id) => world.accounts.find((account) => account.id === id),
    projects: async (account) =>
      world.projects.filter(({ accountId }) => accountId === ownerOf(account)),
    resource: async (account, meter, idOrName) =>
      world.resources.find(
        (resource) =>
          resource.accountId === ownerOf(account) &&
          resource.meter === meter &&
          (resource.id === idOrName || resource.name === idOrName),
      ),
    resourceVersions: async (resourceId) =>
      world.versions
        .filter((version) => version.resourceId === resourceId)
        .sort((a, b) => a.fromMs - b.fromMs),
    resourceCount: async (projectId) =>
      world.resources.filter((resource) => resource.projectId === projectId).length,
    regions: async () => world.regions,
    trafficPackages: async (accountId) =>
      world.trafficPackages.filter((pack) => pack.accountId === accountId),
    exclusivePackage: async (resourceId) =>
      world.exclusivePackages.find(
        (pack) => pack.resourceId === resourceId && pack.deletedMs === null,
      ),
  }
}

function fakeBooks(world: FakeWorld): BooksReader {
  return {
    closedDays: async (_accountId, resourceId, { startMs, endMs }) =>
      world.closedDays.filter(
        (day) => day.resourceId === resourceId && day.startMs >= startMs && day.startMs < endMs,
      ),
  }
}

/** Draws each time all usage there ever was: no day of the world is closed. */
function fakeBalances(world: FakeWorld): BalanceReader {
  return {
    balance: async ({ accountId, meter }) => {
      const nowMs = world.clock.nowMs()
      const zone = world.accounts.find(({ id }) => id === accountId)?.zone ?? 'Asia/Shanghai'
      const untilMs = nowMs + 6 * MINUTE_MS
      const moved = world.usage.filter(
        (row) => row.meter === meter && row.accountId === accountId && row.atMs < untilMs,
      )
      const held = world.trafficPackages
        .filter((pack) => pack.accountId === accountId && pack.meter === meter)
        .filter(({ refundedMs }) => refundedMs === null)
        .map(termsOf)
      const usage = moved.map((row) => ({
        startMs: floorTo(row.atMs, MINUTE_MS),
        area: row.area ?? 'cn',
        billingRegion: row.billingRegion ?? row.area ?? 'cn',
        kind: row.kind ?? 'static',
        projectId: '',
        resourceId: row.resourceId,
        bytes: row.bytes,
      }))
      const { balances } = burnPackages(held, usage, { zone, order: DEFAULT_BURN_ORDER })
      const used = new Map(balances.map(({ packageId, usedBytes }) => [packageId, usedBytes]))
      const packages = held.map((entry) => {
        const usedBytes = used.get(entry.id) ?? 0n
        const endMs = endOf(entry, null, zone)
        return { package: entry, usedBytes, leftBytes: entry.sizeBytes - usedBytes, endMs }
      })
      return {
        accountId,
        meter,
        zone,
        asOfMs: nowMs,
        closedUntilMs: 0,
        month: { startMs: 0, endMs: untilMs },
        packages: packages.filter(({ endMs }) => endMs === null || endMs > nowMs),
        arrearsBytes: 0n,
        exclusive: world.exclusivePackages.map((entry) => {
          const { deletedMs: _, ...volume } = entry
          const period = resetPeriod(volume.createdMs, volume.resetPolicy, nowMs, zone)
          const own = moved.filter(
            ({ resourceId, direction, atMs }) =>
              resourceId === volume.resourceId && direction === 'out' && isInMinutes(atMs, period),
          )
          return { volume, period, usedBytes: sum(own) }
        }),
        monthToDate: [],
        pack: '',
      }
    },
    forget: () => undefined,
  }
}

function fakeUsage(world: FakeWorld): UsageReader {
  return {
    query: async (query) => queryUsage(world, query),
    provinceSeriesJson: async (query) => provinceSeries(world, query),
    eipOutBytes: async (resourceId, intervals) =>
      intervals.map((range) =>
        sum(
          world.usage.filter(
            (row) =>
              row.meter === 'eip' &&
              row.resourceId === resourceId &&
              row.direction === 'out' &&
              isInMinutes(row.atMs, range),
          ),
        ),
      ),
  }
}

function queryUsage(world: FakeWorld, query: UsageQuery) {
  if (query.granularity === 'total') throw new Error('the fake has no totals')
  const { granularity, zone, filters } = query
  const points = new Map<number, bigint>()
  for (const row of world.usage) {
    if (row.meter !== query.meter || row.accountId !== query.accountId) continue
    if (row.atMs < query.startMs || row.atMs >= query.endMs) continue
    const labels: Record<string, string | undefined> = {
      direction: row.direction,
      gateway_type: row.gatewayType,
      access_region: row.accessRegion,
    }
    const fits = Object.entries(filters).every(([name, accepted]) =>
      accepted.includes(labels[name] ?? ''),
    )
    if (!fits) continue
    const startMs = bucketStart(row.atMs, granularity, zone)
    points.set(startMs, (points.get(startMs) ?? 0n) + row.bytes)
  }
  return [...points]
    .sort(([a], [b]) => a - b)
    .map(([startMs, bytes]) => ({ startMs, group: {}, bytes }))
}

/** Rates are the plain average of the bucket: the fake knows no peaks inside one. */
function provinceSeries(world: FakeWorld, query: ProvinceSeriesQuery): string {
  const { granularity, zone } = query
  const rows = world.usage.filter(
    (row) =>
      row.meter === 'cdn' &&
      row.accountId === query.accountId &&
      query.projectIds.includes(row.projectId ?? '') &&
      (query.resourceIds.length === 0 || query.resourceIds.includes(row.resourceId)) &&
      (query.isp === null || row.isp === query.isp) &&
      row.atMs >= query.startMs &&
      row.atMs < query.endMs,
  )
  const wanted =
    query.provinces.length > 0
      ? query.provinces
      : [...new Set(rows.map(({ province }) => province ?? 'others'))]
  const starts: number[] = []
  const stepMs = { minute: 60_000, '5min': 300_000, hour: 3_600_000, day: 86_400_000 }[granularity]
  for (let atMs = query.startMs; atMs < query.endMs; atMs += stepMs) starts.push(atMs)
  const series = [...wanted].sort().map((province) => {
    const list = starts.map((startMs) => {
      const bytes = sum(
        rows.filter(
          (row) =>
            row.province === province && bucketStart(row.atMs, granularity, zone) === startMs,
        ),
      )
      const mbps = (Number(bytes) * 8) / (stepMs / 1000) / 1e6
      return { Time: startMs / 1000, CdnBandwidth: mbps, Traffic: Number(bytes) }
    })
    return { Province: province, ...Object.fromEntries(query.listNames.map((n) => [n, list])) }
  })
  return JSON.stringify(series)
}

function isInMinutes(atMs: number, range: { startMs: number; endMs: number }): boolean {
  return atMs >= floorTo(range.startMs, MINUTE_MS) && atMs < floorTo(range.endMs, MINUTE_MS)
}

function sum(rows: readonly FakeUsage[]): bigint {
  return rows.reduce((total, row) => total + row.bytes, 0n)
}

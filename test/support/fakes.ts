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
import type { OperationDeps } from '../../src/api/operations/caller.ts'
import type {
  BooksReader,
  CatalogReader,
  ClosedDay,
  ProvinceSeriesQuery,
  UsageReader,
} from '../../src/api/operations/ports.ts'
import { bucketStart } from '../../src/api/operations/buckets.ts'
import { floorTo, MINUTE_MS } from '../../src/core/period.ts'
import { createTtlCache } from '../../src/core/ttl-cache.ts'
import type { UsageQuery } from '../../src/meters/query.ts'

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
  }
}

/** Readers over the world, for anything that takes `OperationDeps`. */
export function fakeDeps(world: FakeWorld): OperationDeps {
  return {
    catalog: fakeCatalog(world),
    usage: fakeUsage(world),
    books: fakeBooks(world),
    clock: world.clock,
    totals: createTtlCache({ ttlMs: 1000, entriesMax: 100 }, world.clock),
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
      world.exclusivePackages.find((pack) => pack.resourceId === resourceId),
  }
}

function fakeBooks(world: FakeWorld): BooksReader {
  return {
    closedDays: async (resourceId, { startMs, endMs }) =>
      world.closedDays.filter(
        (day) => day.resourceId === resourceId && day.startMs >= startMs && day.startMs < endMs,
      ),
  }
}

function fakeUsage(world: FakeWorld): UsageReader {
  return {
    query: async (query) => queryUsage(world, query),
    provinceSeriesJson: async (query) => provinceSeries(world, query),
    cdnBytes: async (accountId, kind, intervals) =>
      (['cn', 'abroad'] as const).flatMap((area) =>
        intervals.map((range, interval) => ({
          area,
          interval,
          bytes: sum(
            world.usage.filter(
              (row) =>
                row.meter === 'cdn' &&
                row.accountId === accountId &&
                (row.kind ?? 'static') === kind &&
                (row.area ?? 'cn') === area &&
                isInMinutes(row.atMs, range),
            ),
          ),
        })),
      ),
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

/** What people do to the catalog and the charge modes in a simulated year, each at its instant. */
import { createPackageDesk } from '../../src/billing/package-desk.ts'
import type { ExclusiveVolume } from '../../src/billing/book.ts'
import type { MeterName } from '../../src/catalog/model.ts'
import type { EpochMs } from '../../src/core/clock.ts'
import { formatWindow } from '../../src/core/day-window.ts'
import { formatMoney } from '../../src/core/money.ts'
import { MINUTE_MS } from '../../src/core/period.ts'
import { termsOf } from '../../src/rating/package-terms.ts'
import type { BooksHarness } from '../support/books-harness.ts'
import type { SimBook, SimPackage, SimResource } from './books-world.ts'

/** Something that happens to the product at an instant. */
export interface Happening {
  readonly atMs: EpochMs
  readonly run: (world: BooksHarness) => Promise<unknown>
}

const ACTOR = 'year'

/** What a package cost: 0.1 for a GB. */
export function paidFor({ sizeBytes }: Pick<SimPackage, 'sizeBytes'>) {
  return { amount: formatMoney(sizeBytes / 10n), currency: 'CNY' }
}

/** All that happens in a book besides usage, in order. */
export function happeningsOf(book: SimBook): Happening[] {
  const all = [
    ...book.resources.flatMap((resource, index) => resourceHappenings(book, resource, index)),
    ...book.packages.flatMap((entry) => packageHappenings(book, entry)),
    ...book.exclusive.flatMap(volumeHappenings),
    ...book.switches.map(({ atMs, pack }) => ({
      atMs,
      run: (world: BooksHarness) => switchTo(book, pack.name, world),
    })),
  ].sort((a, b) => a.atMs - b.atMs)
  const beginMs = all[0]?.atMs ?? 0
  return [{ atMs: beginMs, run: (world) => openAccount(book, world) }, ...all]
}

/** A volume ends with the minute in which it is taken away. */
function volumeHappenings({ createdMs, deletedMs, ...volume }: ExclusiveVolume): Happening[] {
  const give: Happening = {
    atMs: createdMs,
    run: ({ catalog }) =>
      catalog.as(ACTOR).createExclusivePackage({
        id: volume.id,
        resource: volume.resourceId,
        size: String(volume.sizeBytes),
        resetPolicy: volume.resetPolicy,
        createdAt: createdMs,
      }),
  }
  if (deletedMs === undefined) return [give]
  const take: Happening = {
    atMs: deletedMs - MINUTE_MS,
    run: ({ catalog }) => catalog.as(ACTOR).deleteExclusivePackage(volume.id),
  }
  return [give, take]
}

/** The account, its two projects, and by what it is billed from its first day on. */
async function openAccount(book: SimBook, world: BooksHarness): Promise<void> {
  const writer = world.catalog.as(ACTOR)
  const { accountId: id, zone } = book
  const [first, second] = [1, 2].map((index) => `org-${id.slice('acc-'.length)}-p${index}`)
  await writer.createAccount({ id, name: id, zone, defaultProjectId: first })
  await writer.createProject({ id: second, account: id, name: 'second' })
  await switchTo(book, book.firstPack.name, world)
}

async function switchTo(book: SimBook, pack: string, { charges }: BooksHarness): Promise<void> {
  const { accountId: account, meter } = book
  await charges.desk.switch({ account, meter, pack, groups: {}, actor: ACTOR })
}

function resourceHappenings(book: SimBook, resource: SimResource, index: number): Happening[] {
  const { accountId: account, meter } = book
  const { id, kind, createdMs, registeredMs, projects, payModes } = resource
  const [first, ...moves] = projects
  const create: Happening = {
    atMs: registeredMs,
    run: ({ catalog }) =>
      catalog.as(ACTOR).createResource({
        id,
        meter,
        account,
        name: nameOf(account, meter, index),
        createdAt: createdMs,
        ...(first !== undefined && { project: first.value }),
        ...(meter === 'cdn' && { kind }),
      }),
  }
  return [
    create,
    ...moves.map(({ fromMs, value }): Happening => ({
      atMs: fromMs,
      run: ({ catalog }) => catalog.as(ACTOR).moveResource(id, { project: value }),
    })),
    ...payModes.slice(1).map(({ fromMs, value }): Happening => ({
      atMs: fromMs,
      run: ({ catalog }) => catalog.as(ACTOR).changePayMode(id, { payMode: value }),
    })),
  ]
}

function nameOf(account: string, meter: MeterName, index: number): string {
  const number = Number(account.slice('acc-'.length))
  if (meter === 'eip') return `203.0.${number}.${index + 1}`
  return meter === 'cdn' ? `r${index + 1}.a${number}.example.com` : `device-${index + 1}`
}

function packageHappenings(book: SimBook, entry: SimPackage): Happening[] {
  const { id, purchasedMs, refundedMs } = entry
  const buy: Happening = { atMs: purchasedMs, run: (world) => buyPackage(book, entry, world) }
  if (refundedMs === null) return [buy]
  return [buy, { atMs: refundedMs, run: (world) => deskOf(book, world).refund(id, ACTOR) }]
}

async function buyPackage(
  { accountId: account, meter }: SimBook,
  entry: SimPackage,
  { catalog }: BooksHarness,
): Promise<void> {
  const { areas, kinds, projectIds, resourceIds, validity } = entry
  await catalog.as(ACTOR).createTrafficPackage({
    id: entry.id,
    account,
    meter,
    size: String(entry.sizeBytes),
    purchasedAt: entry.purchasedMs,
    startAt: entry.startMs,
    windows: entry.windows.map(formatWindow),
    projects: projectIds && [...projectIds],
    resources: resourceIds && [...resourceIds],
    paid: paidFor(entry),
    ...(meter === 'cdn' && { areas: areas && [...areas], kinds: kinds && [...kinds] }),
    ...(validity.type === 'from-purchase' && { endAt: validity.endMs }),
    ...('spanMonths' in validity && { firstUseMonths: validity.spanMonths }),
  })
}

function deskOf({ accountId, meter }: SimBook, { catalog, clock, charges, live }: BooksHarness) {
  return createPackageDesk({
    catalog,
    clock,
    packOf: async () => (await charges.desk.defaultPack(meter)).pack,
    packageBalance: async (id) => {
      const entry = await catalog.rows.trafficPackages.get(id)
      if (entry === undefined) throw new Error(`there is no package ${id}`)
      return live.packageBalance({ accountId, meter }, termsOf(entry))
    },
  })
}

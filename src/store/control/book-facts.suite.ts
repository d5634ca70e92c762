import { expect, test } from 'vitest'
import { DAY_MS, floorTo, MINUTE_MS } from '../../core/period.ts'
import { at, type BooksWorld, NOW_MS } from './book-store-world.suite.ts'

const GIB = 2n ** 30n
const THIS_MINUTE_MS = floorTo(NOW_MS, MINUTE_MS)

/** Makes accounts by their ids, each with a project of the same name. */
async function makeAccounts({ writer }: BooksWorld, ...ids: string[]): Promise<void> {
  for (const id of ids) {
    const defaultProjectId = id.replace('acc', 'org')
    await writer.createAccount({ id, name: id, defaultProjectId, zone: 'Asia/Shanghai' })
  }
}

/** What the catalog calls for. */
export function originTests(world: () => BooksWorld): void {
  test('a book begins with the first resource of its meter, also one that is gone', async () => {
    const { writer, books } = world()
    await makeAccounts(world(), 'acc-b', 'acc-a', 'acc-c')
    const day = (count: number) => THIS_MINUTE_MS - count * DAY_MS
    const own = { meter: 'cdn', account: 'acc-a' } as const
    await writer.createResource({ ...own, name: 'a1.example', createdAt: day(2) })
    const gone = await writer.createResource({ ...own, name: 'a2.example', createdAt: day(5) })
    await writer.deleteResource(gone.id)
    await writer.createResource({ ...own, name: 'a3.example' })
    await writer.createResource({ ...own, meter: 'eip', name: '192.0.2.1', createdAt: day(9) })
    await writer.createResource({ ...own, account: 'acc-b', name: 'b.example', createdAt: day(1) })
    const zone = 'Asia/Shanghai'
    expect(await books.origins('cdn')).toEqual([
      { accountId: 'acc-a', meter: 'cdn', zone, firstMs: day(5) },
      { accountId: 'acc-b', meter: 'cdn', zone, firstMs: day(1) },
    ])
    expect(await books.origins('eip')).toEqual([
      { accountId: 'acc-a', meter: 'eip', zone, firstMs: day(9) },
    ])
    expect(await books.origins('mna')).toEqual([])
  })
  test('one account is asked for by itself, owner or buyer', async () => {
    const { writer, books } = world()
    await makeAccounts(world(), 'acc-a', 'acc-b', 'acc-c')
    for (const account of ['acc-a', 'acc-b']) {
      await writer.createResource({ meter: 'cdn', account, name: `${account}.example` })
    }
    await writer.createTrafficPackage({ account: 'acc-c', area: 'cn', size: '1GiB' })
    for (const id of ['acc-a', 'acc-b', 'acc-c']) {
      expect((await books.origins('cdn', id)).map(({ accountId }) => accountId)).toEqual([id])
    }
    expect(await books.origins('eip', 'acc-a')).toEqual([])
    expect(await books.origins('cdn', 'acc-z')).toEqual([])
  })
  test('a resource that moved calls for a book of each owner, from when it was theirs', async () => {
    const { writer, books } = world()
    await makeAccounts(world(), 'acc-a', 'acc-b')
    const createdAt = THIS_MINUTE_MS - 10 * DAY_MS
    const { id } = await writer.createResource({
      meter: 'eip',
      account: 'acc-a',
      name: '192.0.2.1',
      createdAt,
    })
    const fromAt = THIS_MINUTE_MS - 3 * DAY_MS
    await writer.moveResource(id, { account: 'acc-b', project: 'org-b', fromAt })
    const origins = await books.origins('eip')
    expect(origins.map(({ accountId, firstMs }) => [accountId, firstMs])).toEqual([
      ['acc-a', createdAt],
      ['acc-b', fromAt],
    ])
  })
  test('who only bought packages has a book that begins now, of their meter alone', async () => {
    const { writer, books, clock } = world()
    await makeAccounts(world(), 'acc-a', 'acc-b')
    for (const account of ['acc-a', 'acc-a', 'acc-b']) {
      await writer.createTrafficPackage({ account, area: 'cn', size: '1GiB' })
    }
    const createdAt = NOW_MS - DAY_MS
    await writer.createResource({ meter: 'cdn', account: 'acc-b', name: 'b.example', createdAt })
    clock.ms += 5000
    const zone = 'Asia/Shanghai'
    expect(await books.origins('cdn')).toEqual([
      { accountId: 'acc-b', meter: 'cdn', zone, firstMs: THIS_MINUTE_MS - DAY_MS },
      { accountId: 'acc-a', meter: 'cdn', zone, firstMs: NOW_MS + 5000 },
    ])
    expect(await books.origins('eip')).toEqual([])
  })
  test('what belongs to a sub-account is in the book of who pays, in the zone of that one', async () => {
    const { writer, books } = world()
    await makeAccounts(world(), 'acc-a')
    await writer.createAccount({
      id: 'acc-s',
      name: 's',
      parent: 'acc-a',
      zone: 'Europe/Berlin',
    })
    await writer.createResource({ meter: 'cdn', account: 'acc-a', name: 'a.example' })
    await writer.createTrafficPackage({ account: 'acc-a', area: 'cn', size: '1GiB' })
    const origins = await books.origins('cdn')
    expect(origins).toMatchObject([{ accountId: 'acc-a', zone: 'Asia/Shanghai' }])
  })
}

/** What of the catalog a book depends on. */
export function factTests(world: () => BooksWorld): void {
  const factsOf = async (meter: 'cdn' | 'eip' | 'mna', accountId: string) =>
    (await world().books.facts(meter, [accountId])).get(accountId)

  test('facts of accounts are by account; nobody and strangers have none', async () => {
    const { books, writer } = world()
    await makeAccounts(world(), 'acc-a', 'acc-b')
    await writer.createResource({ meter: 'cdn', account: 'acc-b', name: 'b.example', id: 'ucdn-b' })
    const facts = await books.facts('cdn', ['acc-b', 'acc-a', 'acc-z'])
    expect([...facts.keys()].sort()).toEqual(['acc-a', 'acc-b'])
    const nothing = { packages: [], exclusive: [], resources: [] }
    expect(facts.get('acc-a')).toMatchObject({ name: 'acc-a', ...nothing })
    expect(facts.get('acc-b')).toMatchObject({
      name: 'acc-b',
      number: (facts.get('acc-a')?.number ?? 0) + 1,
      resources: [{ id: 'ucdn-b', deletedMs: null, versions: [] }],
    })
    expect(await books.facts('cdn', [])).toEqual(new Map())
  })
  test('packages are those of the meter in the order of purchase, then id, with what was paid', async () => {
    const { writer, catalog } = world()
    await makeAccounts(world(), 'acc-a', 'acc-b')
    const own = { account: 'acc-a', area: 'cn', size: '1GiB' } as const
    await writer.createTrafficPackage({ ...own, id: 'pkg-b' })
    await writer.createTrafficPackage({ ...own, id: 'pkg-a' })
    const purchasedAt = NOW_MS - DAY_MS
    const paid = { amount: '98765432109876543.21', currency: 'USD' }
    await writer.createTrafficPackage({ ...own, id: 'pkg-c', purchasedAt, paid })
    await writer.createTrafficPackage({ ...own, id: 'pkg-d', account: 'acc-b' })
    await writer.createTrafficPackage({ account: 'acc-a', meter: 'eip', id: 'pkg-e', size: '1GB' })
    await writer.createTrafficPackage({ ...own, id: 'pkg-f', paid })
    const judged = await catalog.rows.trafficPackages.get('pkg-f')
    if (judged === undefined) throw new Error('no package')
    await writer.refundTrafficPackage(judged, 5n)
    const facts = await factsOf('cdn', 'acc-a')
    const amount = 98_765_432_109_876_543_210_000_000n
    expect(facts?.packages).toMatchObject([
      { terms: { id: 'pkg-c', sizeBytes: GIB, purchasedMs: purchasedAt }, refunded: null },
      { terms: { id: 'pkg-a' }, paid: null, refunded: null },
      { terms: { id: 'pkg-b' } },
      { terms: { id: 'pkg-f' }, paid: { amount }, refunded: { atMs: NOW_MS, amount: 5n } },
    ])
    expect(facts?.packages[0]?.paid).toEqual({ amount, currency: 'USD' })
    expect((await factsOf('eip', 'acc-a'))?.packages).toMatchObject([{ terms: { id: 'pkg-e' } }])
  })
  test('refilling volumes are facts of elastic IPs alone, also after they were taken away', async () => {
    const { writer } = world()
    await makeAccounts(world(), 'acc-a')
    const address = { meter: 'eip', account: 'acc-a', name: '192.0.2.1', id: 'eip-1' } as const
    await writer.createResource(address)
    const volume = { resource: 'eip-1', size: '3GiB', resetPolicy: 'Month' } as const
    await writer.createExclusivePackage({ ...volume, id: 'utp-1' })
    expect((await factsOf('eip', 'acc-a'))?.exclusive).toEqual([
      {
        id: 'utp-1',
        resourceId: 'eip-1',
        sizeBytes: 3n * GIB,
        resetPolicy: 'Month',
        createdMs: NOW_MS,
      },
    ])
    expect((await factsOf('cdn', 'acc-a'))?.exclusive).toEqual([])
    const gone = await writer.deleteExclusivePackage('utp-1')
    // Open days before its end are still to be closed with it.
    expect(gone.deletedMs).toBe(THIS_MINUTE_MS + MINUTE_MS)
    await writer.createExclusivePackage({ ...volume, id: 'utp-2', size: '1GiB' })
    const [first, second, ...others] = (await factsOf('eip', 'acc-a'))?.exclusive ?? []
    expect(first).toMatchObject({ id: 'utp-1', createdMs: NOW_MS, deletedMs: gone.deletedMs })
    expect(second).toEqual({
      id: 'utp-2',
      resourceId: 'eip-1',
      sizeBytes: GIB,
      resetPolicy: 'Month',
      createdMs: NOW_MS,
    })
    expect(others).toEqual([])
  })
  test('an address has all of its versions, those of other owners too, and its end', async () => {
    const { writer, clock } = world()
    await makeAccounts(world(), 'acc-a', 'acc-b')
    const day = (count: number) => THIS_MINUTE_MS - count * DAY_MS
    for (const [id, name] of [
      ['eip-2', '192.0.2.2'],
      ['eip-1', '192.0.2.1'],
    ] as const) {
      await writer.createResource({ id, meter: 'eip', account: 'acc-a', name, createdAt: day(9) })
    }
    await writer.changePayMode('eip-1', { payMode: 'Bandwidth', fromAt: day(7) })
    await writer.moveResource('eip-1', { account: 'acc-b', project: 'org-b', fromAt: day(4) })
    clock.ms += DAY_MS
    await writer.deleteResource('eip-1')
    const deletedMs = THIS_MINUTE_MS + DAY_MS + MINUTE_MS
    const version = { resourceId: 'eip-1', accountId: 'acc-a', projectId: 'org-a' }
    const later = { payMode: 'Bandwidth' }
    const versions = [
      { ...version, fromMs: day(9), payMode: 'Traffic' },
      { ...version, ...later, fromMs: day(7) },
      { ...version, ...later, fromMs: day(4), accountId: 'acc-b', projectId: 'org-b' },
    ]
    expect((await factsOf('eip', 'acc-b'))?.resources).toEqual([
      { id: 'eip-1', deletedMs, versions },
    ])
    expect((await factsOf('eip', 'acc-a'))?.resources).toEqual([
      { id: 'eip-1', deletedMs, versions },
      {
        id: 'eip-2',
        deletedMs: null,
        versions: [{ ...version, resourceId: 'eip-2', fromMs: day(9), payMode: 'Traffic' }],
      },
    ])
  })
  test('facts of more accounts than one list of bound values held at once are complete', async () => {
    const { writer, books } = world()
    await makeAccounts(world(), 'acc-a')
    await writer.createResource({ meter: 'eip', account: 'acc-a', name: '192.0.2.1' })
    const strangers = Array.from({ length: 2000 }, (_, index) => `acc-${index}`)
    const facts = await books.facts('eip', [...strangers, 'acc-a'])
    expect([...facts.keys()]).toEqual(['acc-a'])
    expect(facts.get('acc-a')?.resources[0]?.versions).toHaveLength(1)
    expect(await books.facts('eip', strangers)).toEqual(new Map())
  })
  test('a book keeps the zone in which it began', async () => {
    const { books } = world()
    const key = { accountId: 'acc-a', meter: 'cdn' } as const
    await books.begin([{ ...key, zone: 'Asia/Shanghai', startMs: at('2026-11-02T00:00') }])
    await books.begin([{ ...key, zone: 'Europe/Berlin', startMs: at('2026-11-05T07:00') }])
    expect(await books.books('cdn', ['acc-a'])).toMatchObject([{ zone: 'Asia/Shanghai' }])
  })
}

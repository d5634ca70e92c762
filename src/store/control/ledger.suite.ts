import type { Kysely } from 'kysely'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { verifyChain } from '../../billing/ledger-chain.ts'
import { ledgerRules } from '../../billing/ledger-rules.ts'
import type { Posting } from '../../billing/ledger.ts'
import { auditTests } from './ledger-audit.suite.ts'
import { propertyTests } from './ledger-property.suite.ts'
import {
  bytesPosting,
  buy,
  clock,
  draw,
  NOW_MS,
  openLedger,
  type World,
} from './ledger-world.suite.ts'
import { createLedger, type Ledger } from './ledger.ts'
import type { ControlDatabase } from './tables.ts'

/** The guarantees of the ledger's store; `newLocation` names an empty database each time. */
export function ledgerSuite(newLocation: () => Promise<string>): void {
  let world: World
  beforeEach(async () => {
    world = await openLedger(await newLocation())
  })
  afterEach(() => world.store.close())

  postTests(() => world)
  refusalTests(() => world)
  concurrencyTests(() => world)
  crashTests(() => world)
  auditTests(() => world)
  propertyTests(() => world)
}

async function held(ledger: Ledger, accountId = 'acc-1'): Promise<Record<string, bigint>> {
  const balances = await ledger.balances(accountId)
  return Object.fromEntries(
    balances.map(({ unit, ledgerAccount, amount }) => [`${ledgerAccount} ${unit}`, amount]),
  )
}

async function allRows(db: Kysely<ControlDatabase>): Promise<readonly unknown[]> {
  return Promise.all([
    db.selectFrom('ledger_heads').selectAll().orderBy('account_id').execute(),
    db.selectFrom('ledger_postings').selectAll().orderBy('key').execute(),
    db.selectFrom('ledger_legs').selectAll().orderBy('sequence').orderBy('amount').execute(),
    db.selectFrom('ledger_balances').selectAll().orderBy('ledger_account').execute(),
  ])
}

function postTests(world: () => World): void {
  test('what is posted can be read as it was, with its place in the chain', async () => {
    const { ledger } = world()
    const money: Posting = {
      ...buy('m', 1n),
      unit: { currency: 'CNY' },
      legs: [
        { ledgerAccount: 'receivable', amount: 5n },
        { ledgerAccount: 'revenue:cdn', amount: -5n },
      ],
    }
    const receipts = await ledger.post([buy('a', 10n), money, draw('b', 3n)])
    const entries = await ledger.entries('acc-1', { limit: 10 })
    expect(entries.map((entry) => entry.posting)).toEqual([buy('a', 10n), money, draw('b', 3n)])
    expect(entries.map(({ hash, sequence }) => ({ hash, sequence }))).toEqual(
      receipts.map(({ hash, sequence }) => ({ hash, sequence })),
    )
    expect(entries.every((entry) => entry.recordedMs === NOW_MS)).toBe(true)
    expect(verifyChain(entries)).toBeNull()
    expect(await held(ledger)).toEqual({
      'package:p bytes': 7n,
      'purchased bytes': -10n,
      'usage bytes': 3n,
      'receivable CNY': 5n,
      'revenue:cdn CNY': -5n,
    })
  })
  test('amounts beyond 64 bits keep every digit', async () => {
    const { ledger } = world()
    const amount = 10n ** 30n + 1n
    await ledger.post([buy('a', amount), draw('b', 10n ** 30n)])
    expect(await held(ledger)).toEqual({
      'package:p bytes': 1n,
      'purchased bytes': -amount,
      'usage bytes': 10n ** 30n,
    })
    expect((await ledger.audit()).findings).toEqual([])
  })
  test('posting again changes nothing and answers with the first receipt', async () => {
    const { store, ledger } = world()
    const [first] = await ledger.post([buy('a', 10n)])
    const before = await allRows(store.db)
    const again = await ledger.post([buy('a', 10n), buy('a', 10n)])
    expect(first?.isNew).toBe(true)
    expect(again).toEqual([
      { ...first, isNew: false },
      { ...first, isNew: false },
    ])
    expect(await allRows(store.db)).toEqual(before)
  })
  test('receipts come in the order of the postings, whichever accounts they are of', async () => {
    const { ledger } = world()
    const keys = ['b/1', 'a/1', 'b/2', 'c/1', 'a/2']
    const receipts = await ledger.post(keys.map((key) => buy(key, 1n)))
    expect(receipts.map(({ key, sequence }) => [key, sequence])).toEqual([
      ['b/1', 1],
      ['a/1', 1],
      ['b/2', 2],
      ['c/1', 1],
      ['a/2', 2],
    ])
    expect(await ledger.post([])).toEqual([])
  })
  test('more postings than one statement holds are written and audited all the same', async () => {
    const { store, ledger } = world()
    const postings = Array.from({ length: 2500 }, (_, index) => buy(`k-${index}`, 1n))
    await ledger.post(postings)
    expect((await ledger.post(postings)).every((receipt) => !receipt.isNew)).toBe(true)
    expect(await held(ledger)).toMatchObject({ 'package:p bytes': 2500n })
    const page = await ledger.entries('acc-1', { afterSequence: 1200, limit: 2 })
    expect(page.map((entry) => entry.posting.key)).toEqual(['k-1200', 'k-1201'])
    expect((await ledger.audit()).findings).toEqual([])
    await store.db
      .updateTable('ledger_postings')
      .set({ at_ms: 1 })
      .where('key', '=', 'k-1999')
      .execute()
    expect((await ledger.audit()).findings).toMatchObject([{ expected: 2500n, actual: 1999n }])
  })
  test('an account without postings holds nothing', async () => {
    const { ledger } = world()
    expect(await ledger.balances('acc-9')).toEqual([])
    expect(await ledger.entries('acc-9', { limit: 10 })).toEqual([])
    expect(await ledger.audit()).toEqual({ checks: 0, findings: [] })
  })
  test.each([0, 1001, 1.5])('a page of %d entries is refused', async (limit) => {
    await expect(world().ledger.entries('acc-1', { limit })).rejects.toMatchObject({
      code: 'parameter_invalid',
      field: 'limit',
    })
  })
}

function refusalTests(world: () => World): void {
  test('a key with other content is a conflict, and nothing is written', async () => {
    const { store, ledger } = world()
    await ledger.post([buy('a', 10n)])
    const before = await allRows(store.db)
    await expect(ledger.post([draw('b', 1n), buy('a', 11n)])).rejects.toMatchObject({
      code: 'conflict',
      field: 'key',
    })
    expect(await allRows(store.db)).toEqual(before)
  })
  test('one key may name a posting of each account', async () => {
    const { ledger } = world()
    await ledger.post([buy('a', 10n), { ...buy('a', 11n), accountId: 'acc-2' }])
    expect(await held(ledger, 'acc-2')).toMatchObject({ 'package:p bytes': 11n })
  })
  test('an overdraft is refused by name and amount, and nothing is written', async () => {
    const { store, ledger } = world()
    await ledger.post([buy('a', 10n)])
    const before = await allRows(store.db)
    // The other account comes first and is fine; it must not be kept either.
    await expect(ledger.post([buy('aaa/1', 5n), draw('b', 17n)])).rejects.toMatchObject({
      code: 'conflict',
      field: 'package:p',
      message: expect.stringMatching(/package:p of account acc-1: 7 bytes are missing/),
    })
    expect(await allRows(store.db)).toEqual(before)
  })
  test('a posting that does not sum to zero is never written', async () => {
    const { store, ledger } = world()
    const posting = bytesPosting('a', ['usage', 5n], ['arrears', -4n])
    await expect(ledger.post([posting])).rejects.toThrow(/sum to 1/)
    expect(await allRows(store.db)).toEqual([[], [], [], []])
  })
}

function concurrencyTests(world: () => World): void {
  test('postings of one account made at once get a sequence without gaps', async () => {
    const { ledger } = world()
    const keys = Array.from({ length: 20 }, (_, index) => `k-${index}`)
    await Promise.all(keys.map((key) => ledger.post([buy(key, 1n)])))
    const entries = await ledger.entries('acc-1', { limit: 100 })
    expect(entries.map((entry) => entry.sequence)).toEqual(keys.map((_, index) => index + 1))
    expect(entries.map((entry) => entry.posting.key).sort()).toEqual(keys.sort())
    expect(verifyChain(entries)).toBeNull()
    expect(await held(ledger)).toMatchObject({ 'package:p bytes': 20n })
  })
  test('of draws made at once, only as many succeed as the package holds', async () => {
    const { ledger } = world()
    await ledger.post([buy('a', 5n)])
    const keys = Array.from({ length: 12 }, (_, index) => `k-${index}`)
    const results = await Promise.allSettled(keys.map((key) => ledger.post([draw(key, 1n)])))
    expect(results.filter((result) => result.status === 'fulfilled')).toHaveLength(5)
    expect(await held(ledger)).toMatchObject({ 'package:p bytes': 0n, 'usage bytes': 5n })
  })
  test('one posting that is sent many times at once is made once', async () => {
    const { ledger } = world()
    const sent = Array.from({ length: 12 }, () => ledger.post([buy('a', 5n)]))
    const receipts = (await Promise.all(sent)).flat()
    expect(receipts.filter((receipt) => receipt.isNew)).toHaveLength(1)
    expect(await held(ledger)).toMatchObject({ 'package:p bytes': 5n })
  })
}

/** The same database, which fails right after its statement number `last`. */
function failingAfter(db: Kysely<ControlDatabase>, last: number): Kysely<ControlDatabase> {
  let count = 0
  return db.withPlugin({
    transformQuery: ({ node }) => node,
    transformResult: async ({ result }) => {
      count += 1
      if (count === last) throw new Error('crash')
      return result
    },
  })
}

function crashTests(world: () => World): void {
  test('a crash after any statement leaves nothing, and posting again completes', async () => {
    const { store, ledger } = world()
    await ledger.post([buy('a', 10n)])
    const before = await allRows(store.db)
    const postings = [draw('b', 3n), draw('c', 4n), buy('x/1', 1n)]
    let crashes = 0
    for (;;) {
      const db = failingAfter(store.db, crashes + 1)
      const failing = createLedger(db, { rules: ledgerRules, clock })
      const error = await failing.post(postings).then(
        () => null,
        (thrown: unknown) => thrown,
      )
      if (error === null) break
      expect(error).toMatchObject({ message: 'crash' })
      expect(await allRows(store.db)).toEqual(before)
      crashes += 1
    }
    // Both accounts at once: locks, keys, balances; postings, legs, balances, heads.
    expect(crashes).toBe(7)
    expect(await held(ledger)).toMatchObject({ 'package:p bytes': 3n, 'usage bytes': 7n })
    expect((await ledger.audit()).findings).toEqual([])
  })
  test('what is posted within a transaction goes when the transaction fails', async () => {
    const { store, ledger } = world()
    const work = store.db.transaction().execute(async (trx) => {
      await ledger.postWithin(trx, [buy('a', 10n)])
      throw new Error('stop')
    })
    await expect(work).rejects.toThrow('stop')
    expect(await allRows(store.db)).toEqual([[], [], [], []])
  })
}

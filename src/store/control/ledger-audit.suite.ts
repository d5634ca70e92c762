import type { Kysely } from 'kysely'
import { expect, test } from 'vitest'
import { buy, draw, type World } from './ledger-world.suite.ts'
import type { ControlDatabase } from './tables.ts'

type Tampering = (db: Kysely<ControlDatabase>) => Promise<unknown>

async function removeEntry(db: Kysely<ControlDatabase>, sequence: number): Promise<void> {
  for (const table of ['ledger_legs', 'ledger_postings'] as const) {
    await db.deleteFrom(table).where('sequence', '=', sequence).execute()
  }
}

const TAMPERINGS: [string, Tampering, RegExp][] = [
  [
    'a changed amount',
    (db) =>
      db
        .updateTable('ledger_legs')
        .set({ amount: '2' })
        .where('sequence', '=', 2)
        .where('ledger_account', '=', 'usage')
        .execute(),
    /sums to zero/,
  ],
  [
    'an amount that is no number any more',
    (db) =>
      db.updateTable('ledger_legs').set({ amount: '3.0' }).where('amount', '=', '3').execute(),
    /follows from the one before/,
  ],
  [
    'both legs of a posting changed',
    async (db) => {
      const legs = db.updateTable('ledger_legs').where('sequence', '=', 2)
      await legs.set({ amount: '2' }).where('ledger_account', '=', 'usage').execute()
      await legs.set({ amount: '-2' }).where('ledger_account', '=', 'package:p').execute()
    },
    /balance of bytes usage equals its entries/,
  ],
  [
    'a changed instant',
    (db) => db.updateTable('ledger_postings').set({ at_ms: 1 }).where('sequence', '=', 2).execute(),
    /follows from the one before/,
  ],
  [
    'a changed unit',
    (db) =>
      db.updateTable('ledger_postings').set({ unit: 'CNY' }).where('sequence', '=', 2).execute(),
    /balance of CNY usage equals its entries/,
  ],
  [
    'a changed hash',
    (db) =>
      db
        .updateTable('ledger_postings')
        .set({ hash: 'f'.repeat(64) })
        .where('sequence', '=', 1)
        .execute(),
    /follows from the one before/,
  ],
  ['an entry taken out of the middle', (db) => removeEntry(db, 2), /follows from the one before/],
  ['the last entry taken out', (db) => removeEntry(db, 3), /the one that was recorded last/],
  [
    'an entry slipped in before the first',
    async (db) => {
      const first = await db
        .selectFrom('ledger_postings')
        .selectAll()
        .where('sequence', '=', 1)
        .executeTakeFirstOrThrow()
      await db
        .insertInto('ledger_postings')
        .values({ ...first, sequence: 0, key: 'slipped' })
        .execute()
    },
    /follows from the one before/,
  ],
  [
    'a changed head',
    (db) =>
      db
        .updateTable('ledger_heads')
        .set({ hash: 'f'.repeat(64) })
        .execute(),
    /the one that was recorded last/,
  ],
  [
    'a changed balance',
    (db) =>
      db
        .updateTable('ledger_balances')
        .set({ amount: '700' })
        .where('ledger_account', '=', 'package:p')
        .execute(),
    /balance of bytes package:p equals its entries/,
  ],
  [
    'a balance that is no number any more',
    (db) => db.updateTable('ledger_balances').set({ amount: '' }).execute(),
    /each ledger account has a balance/,
  ],
  [
    'a balance that nothing was posted to',
    (db) =>
      db
        .insertInto('ledger_balances')
        .values({ account_id: 'acc-1', unit: 'bytes', ledger_account: 'gift', amount: '5' })
        .execute(),
    /balance of bytes gift equals its entries/,
  ],
]

/** What the audit of a ledger finds. */
export function auditTests(world: () => World): void {
  const filled = async () => {
    await world().ledger.post([buy('a', 10n), draw('b', 3n), draw('c', 4n), buy('x/1', 1n)])
    return world()
  }
  test('an untouched ledger has no findings', async () => {
    const { checks, findings } = await (await filled()).ledger.audit()
    expect(findings).toEqual([])
    // Four of each of two accounts; two of each of 3 + 2 ledger accounts.
    expect(checks).toBe(18)
  })
  test.each(TAMPERINGS)('the audit finds %s', async (_title, tamper, check) => {
    const { store, ledger } = await filled()
    await tamper(store.db)
    const { findings } = await ledger.audit()
    expect(findings.map((finding) => finding.check).join('\n')).toMatch(check)
    expect(findings.every((finding) => finding.expected !== finding.actual)).toBe(true)
  })
  test('legs without a posting cannot be kept', async () => {
    const { db } = (await filled()).store
    const leg = { account_id: 'acc-1', sequence: 9, ledger_account: 'usage', amount: '5' }
    await expect(db.insertInto('ledger_legs').values(leg).execute()).rejects.toThrow(/foreign key/i)
  })
  test('nothing is posted on top of a balance that cannot be read', async () => {
    const { store, ledger } = await filled()
    await store.db.updateTable('ledger_balances').set({ amount: '1e9' }).execute()
    await expect(ledger.post([draw('d', 1n)])).rejects.toThrow(/is no number/)
  })
}

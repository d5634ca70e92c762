import { randomBytes } from 'node:crypto'
import { Kysely } from 'kysely'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Catalog, createCatalog } from '../../catalog/catalog.ts'
import type { AuditDraft } from '../../catalog/model.ts'
import { EMPTY_HEAD } from '../../core/hash-chain.ts'
import { type AuditRecord, linkAuditRecord } from './audit-chain.ts'
import { walkAuditLog } from './audit-log.ts'
import type { AuditRow } from './catalog-tables.ts'
import { type ControlStore, openControlStore } from './control-store.ts'
import { createMasterKeys } from './master-key.ts'
import { migrate } from './migrate.ts'
import { MIGRATIONS } from './migrations/list.ts'
import { createPostgresDialect } from './postgres.ts'
import { createSqliteDialect } from './sqlite.ts'
import type { ControlDatabase } from './tables.ts'

const NOW_MS = Date.UTC(2026, 10, 21, 8, 30, 15)
const KEYS = createMasterKeys([randomBytes(32).toString('base64')])

interface World {
  readonly clock: { ms: number; nowMs(): number }
  readonly store: ControlStore
  readonly catalog: Catalog
}

/** Opens a control store and the catalog in it, as one node does. */
export async function openWorld(location: string): Promise<World> {
  const clock = {
    ms: NOW_MS,
    nowMs() {
      return this.ms
    },
  }
  const store = await openControlStore(location, { clock, masterKeys: KEYS })
  return { clock, store, catalog: createCatalog(store.catalog, { clock }) }
}

function readLog(db: Kysely<ControlDatabase>): Promise<AuditRow[]> {
  return db.selectFrom('audit_log').selectAll().orderBy('sequence').execute()
}

/** The guarantees of the audit log; `newLocation` names an empty database each time. */
export function auditLogSuite(newLocation: () => Promise<string>): void {
  describe('its chain', () => {
    let world: World
    beforeEach(async () => {
      world = await openWorld(await newLocation())
    })
    afterEach(() => world.store.close())
    chainTests(() => world)
    tamperTests(() => world)
  })
  migrationTests(newLocation)
}

function chainTests(world: () => World): void {
  test('a new store has an empty chain, and an audit of it one comparison', async () => {
    expect(await walkAuditLog(world().store.db)).toEqual({ checks: 1, findings: [] })
  })
  test('changes made at once stand one after the other', async () => {
    const { store, catalog } = world()
    await catalog.ensureDefaults()
    const first = (await readLog(store.db)).length
    const names = Array.from({ length: 20 }, (_, index) => `account ${index}`)
    await Promise.all(names.map((name) => catalog.as(name).createAccount({ name })))
    const rows = await readLog(store.db)
    expect(rows.map((row) => row.sequence)).toEqual(rows.map((_, index) => index + 1))
    expect(rows.length).toBeGreaterThanOrEqual(first + 20)
    expect(await walkAuditLog(store.db)).toEqual({ checks: rows.length + 1, findings: [] })
  })
  test('a change that fails leaves no gap', async () => {
    const { store, catalog } = world()
    await catalog.ensureDefaults()
    await catalog.as('alice').createAccount({ name: 'acme' })
    await expect(catalog.as('bob').createAccount({ name: 'acme' })).rejects.toThrow(/taken|acme/)
    await catalog.as('carol').createAccount({ name: 'other' })
    expect((await walkAuditLog(store.db)).findings).toEqual([])
  })
  test('lists are in the order of the chain, even when the clock is set back', async () => {
    const { clock, catalog } = world()
    await catalog.ensureDefaults()
    for (const name of ['first', 'second', 'third']) {
      await catalog.as('alice').createAccount({ name })
      clock.ms -= 60_000
    }
    const filter = { action: 'account.create' }
    const { items } = await catalog.rows.audit.list(filter, { limit: 10, cursor: null })
    const names = items.map(({ after }) => (after as { name: string }).name)
    expect(names).toEqual(['third', 'second', 'first'])
    const [last, before] = items
    expect(last?.hash).toMatch(/^[0-9a-f]{64}$/)
    expect(last?.sequence).toBeGreaterThan(before?.sequence ?? 0)
  })
}

interface Tampering {
  readonly title: string
  readonly tamper: (db: Kysely<ControlDatabase>, rows: readonly AuditRow[]) => Promise<unknown>
  readonly finding: RegExp
}

const change = (db: Kysely<ControlDatabase>, sequence: number, row: Partial<AuditRow>) =>
  db.updateTable('audit_log').set(row).where('sequence', '=', sequence).execute()

const remove = (db: Kysely<ControlDatabase>, sequence: number) =>
  db.deleteFrom('audit_log').where('sequence', '=', sequence).execute()

const TAMPERINGS: Tampering[] = [
  ...Object.entries({
    id: 'log-other',
    at_ms: 1,
    actor: 'mallory',
    action: 'account.delete',
    target: 'acc-other',
    before: '{}',
    after: null,
    hash: 'f'.repeat(64),
  }).map(([column, value]) => ({
    title: `a changed ${column}`,
    tamper: (db: Kysely<ControlDatabase>) => change(db, 2, { [column]: value }),
    finding: /entry 2 \(log-\w+, .+ by \w+\) is as recorded/,
  })),
  {
    title: 'a space more in a value',
    tamper: (db, rows) => change(db, 2, { after: `${rows[1]?.after} ` }),
    finding: /entry 2 \(log-\w+, .+\) is as recorded/,
  },
  {
    title: 'a changed previous hash',
    tamper: (db) => change(db, 2, { previous_hash: 'f'.repeat(64) }),
    finding: /entry 2 \(log-\w+, .+\) follows from entry 1/,
  },
  {
    title: 'a changed sequence',
    tamper: (db) => change(db, 4, { sequence: 9 }),
    finding: /entry 9 \(log-\w+, .+\) follows without a gap/,
  },
  {
    title: 'an entry replaced together with its hash',
    tamper: (db, [first, second]) =>
      change(db, 2, linkAuditRecord(headOf(first), { ...recordOf(second), actor: 'mallory' })),
    finding: /entry 3 \(log-\w+, .+\) follows from entry 2/,
  },
  {
    title: 'an entry taken out of the middle',
    tamper: (db) => remove(db, 2),
    finding: /entry 3 \(log-\w+, .+\) follows without a gap/,
  },
  {
    title: 'the last entry taken out',
    tamper: (db) => remove(db, 4),
    finding: /the last entry is the one that was recorded last/,
  },
  {
    title: 'an entry added behind the last without the catalog',
    tamper: (db, rows) => {
      const record = { ...recordOf(rows[3]), id: 'log-added' }
      return db
        .insertInto('audit_log')
        .values(linkAuditRecord(headOf(rows[3]), record))
        .execute()
    },
    finding: /the last entry is the one that was recorded last/,
  },
  {
    title: 'the last entry replaced together with its hash',
    tamper: (db, rows) =>
      change(db, 4, linkAuditRecord(headOf(rows[2]), { ...recordOf(rows[3]), actor: 'mallory' })),
    finding: /the last entry is the one that was recorded last/,
  },
  {
    title: 'an entry slipped in before the first',
    tamper: (db, [first]) => {
      const record = { ...recordOf(first), id: 'log-slipped' }
      const row = linkAuditRecord({ ...EMPTY_HEAD, sequence: -1 }, record)
      return db.insertInto('audit_log').values(row).execute()
    },
    finding: /entry 0 \(log-slipped, .+\) follows without a gap/,
  },
  {
    title: 'two entries swapped',
    tamper: async (db) => {
      await change(db, 2, { sequence: 99 })
      await change(db, 3, { sequence: 2 })
      await change(db, 99, { sequence: 3 })
    },
    finding: /entry 2 \(log-\w+, .+\) follows from entry 1[^]*entry 3 \(log-\w+, .+\) follows/,
  },
  {
    title: 'an emptied log',
    tamper: (db) => db.deleteFrom('audit_log').execute(),
    finding: /the last entry is the one that was recorded last/,
  },
  {
    title: 'a changed head',
    tamper: (db) =>
      db
        .updateTable('audit_head')
        .set({ hash: 'f'.repeat(64) })
        .execute(),
    finding: /the last entry is the one that was recorded last/,
  },
]

function recordOf(row: AuditRow | undefined): AuditRecord {
  return row as AuditRow
}

function headOf(row: AuditRow | undefined): { sequence: number; hash: string } {
  return row ?? EMPTY_HEAD
}

function draft(index: number, actor: string): AuditDraft {
  const common = { atMs: NOW_MS, action: 'account.rename', target: 'acc-1' }
  return { ...common, id: `log-${index}`, actor, before: { name: 'a' }, after: { name: 'b' } }
}

function tamperTests(world: () => World): void {
  test.each(TAMPERINGS)('an audit finds $title', async ({ tamper, finding }) => {
    const { store } = world()
    for (const [index, actor] of ['alice', 'bob', 'carol', 'dave'].entries()) {
      await store.catalog.change((rows) => rows.audit.append(draft(index, actor)))
    }
    const rows = await readLog(store.db)
    expect(await walkAuditLog(store.db)).toEqual({ checks: 5, findings: [] })

    await tamper(store.db, rows)

    const { findings } = await walkAuditLog(store.db)
    expect(findings.map(({ check }) => check).join('\n')).toMatch(finding)
    // One wrong entry does not make all those behind it wrong.
    expect(findings.length).toBeLessThanOrEqual(3)
    expect(findings.every(({ expected, actual }) => expected !== actual)).toBe(true)
  })
}

/** Entries of a store before it had chains: of one millisecond, too, and more than one page. */
function oldEntries(): AuditRecord[] {
  const entry = (index: number): AuditRecord => ({
    id: `log-${String((index * 7919) % 2503).padStart(6, '0')}`,
    at_ms: NOW_MS + Math.floor(index / 100),
    actor: 'system',
    action: 'resource.create',
    target: `cdn-${index}`,
    before: null,
    after: index % 3 === 0 ? null : `{"n":${index}}`,
  })
  const odd = ['log-B', 'log-a', 'log-_', 'log-é'].map((id, index) => ({ ...entry(index), id }))
  return [...odd, ...Array.from({ length: 2500 }, (_, index) => entry(index))]
}

function migrationTests(newLocation: () => Promise<string>): void {
  test('what a log held before it was a chain is chained by time, then id', async () => {
    const location = await newLocation()
    const backend = location.startsWith('postgres') ? 'postgres' : 'sqlite'
    const dialect =
      backend === 'postgres' ? createPostgresDialect(location) : createSqliteDialect(location)
    const old = new Kysely<ControlDatabase>({ dialect })
    const clock = { nowMs: () => NOW_MS }
    const before = MIGRATIONS.filter(({ name }) => name < '0010')
    await migrate(old, backend, before, clock)
    const entries = oldEntries()
    for (let from = 0; from < entries.length; from += 1000) {
      const some = entries.slice(from, from + 1000)
      // The table has no other columns yet.
      await (old as unknown as Kysely<{ audit_log: AuditRecord }>)
        .insertInto('audit_log')
        .values(some)
        .execute()
    }
    await old.destroy()

    const { store, catalog } = await openWorld(location)
    const rows = await readLog(store.db)
    const wanted = entries.toSorted(
      (a, b) => a.at_ms - b.at_ms || Buffer.compare(Buffer.from(a.id), Buffer.from(b.id)),
    )
    expect(rows.map(({ id }) => id)).toEqual(wanted.map(({ id }) => id))
    expect(await walkAuditLog(store.db)).toEqual({ checks: entries.length + 1, findings: [] })

    await catalog.ensureDefaults()
    await catalog.as('alice').createAccount({ name: 'acme' })
    expect((await readLog(store.db)).length).toBeGreaterThan(entries.length)
    expect((await walkAuditLog(store.db)).findings).toEqual([])
    await store.close()
  })
}

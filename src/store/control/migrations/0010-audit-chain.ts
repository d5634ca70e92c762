import { type Kysely, type RawBuilder, sql } from 'kysely'
import { type ChainHead, EMPTY_HEAD } from '../../../core/hash-chain.ts'
import { type AuditRecord, linkAuditRecord } from '../audit-chain.ts'
import type { AuditRow } from '../catalog-tables.ts'
import type { MigrationStep } from '../migrate.ts'
import type { Backend, ControlDatabase } from '../tables.ts'

type Db = Kysely<ControlDatabase>

/** The audit log while it is copied. */
type Copying = Kysely<ControlDatabase & { audit_log_chained: AuditRow }>

/** Puts the audit log into a chain of hashes; what is in it already keeps its order. */
export const auditChain: MigrationStep = {
  name: '0010-audit-chain',
  up: async (db, backend) => {
    await createHead(db)
    const tables = await db.introspection.getTables()
    const log = tables.find(({ name }) => name === 'audit_log')
    if (log?.columns.some(({ name }) => name === 'sequence') === true) return
    await createChained(db)
    const head = await copyEntries(db as unknown as Copying, backend)
    await db.updateTable('audit_head').set(head).where('name', '=', 'audit_log').execute()
    await db.schema.dropTable('audit_log').execute()
    await db.schema.alterTable('audit_log_chained').renameTo('audit_log').execute()
  },
}

async function createHead(db: Db): Promise<void> {
  await db.schema
    .createTable('audit_head')
    .ifNotExists()
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('sequence', 'bigint', (c) => c.notNull())
    .addColumn('hash', 'text', (c) => c.notNull())
    .execute()
  await db
    .insertInto('audit_head')
    .values({ name: 'audit_log', ...EMPTY_HEAD })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute()
}

// A new table: SQLite cannot add a column that must have a value to rows that have none yet.
async function createChained(db: Db): Promise<void> {
  await db.schema
    .createTable('audit_log_chained')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('at_ms', 'bigint', (c) => c.notNull())
    .addColumn('actor', 'text', (c) => c.notNull())
    .addColumn('action', 'text', (c) => c.notNull())
    .addColumn('target', 'text', (c) => c.notNull())
    .addColumn('before', 'text')
    .addColumn('after', 'text')
    .addColumn('sequence', 'bigint', (c) => c.notNull().unique())
    .addColumn('previous_hash', 'text', (c) => c.notNull())
    .addColumn('hash', 'text', (c) => c.notNull())
    .execute()
}

/** Below 32,766 bound values: ten columns each. */
const PAGE = 1000

async function copyEntries(db: Copying, backend: Backend): Promise<ChainHead> {
  let head: ChainHead = EMPTY_HEAD
  let last: AuditRecord | undefined
  for (;;) {
    const records = await readRecords(db, backend, last)
    const rows: AuditRow[] = []
    for (const record of records) {
      const row = linkAuditRecord(head, record)
      rows.push(row)
      head = { sequence: row.sequence, hash: row.hash }
    }
    if (rows.length > 0) await db.insertInto('audit_log_chained').values(rows).execute()
    last = records.at(-1)
    if (last === undefined) return head
  }
}

function readRecords(
  db: Copying,
  backend: Backend,
  after: AuditRecord | undefined,
): Promise<AuditRecord[]> {
  // By bytes on both databases: PostgreSQL orders by its language otherwise.
  const id: RawBuilder<string> = backend === 'postgres' ? sql`id collate "C"` : sql`id`
  let query = db
    .selectFrom('audit_log')
    .select(['id', 'at_ms', 'actor', 'action', 'target', 'before', 'after'])
    .orderBy('at_ms')
    .orderBy(id)
    .limit(PAGE)
  if (after !== undefined) {
    query = query.where((is) =>
      is.or([
        is('at_ms', '>', after.at_ms),
        is.and([is('at_ms', '=', after.at_ms), is(id, '>', after.id)]),
      ]),
    )
  }
  return query.execute()
}

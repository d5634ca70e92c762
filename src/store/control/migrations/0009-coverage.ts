import { type Kysely, sql } from 'kysely'
import type { MigrationStep } from '../migrate.ts'
import type { ControlDatabase } from '../tables.ts'

type Db = Kysely<ControlDatabase>

/** Tables of what was expected of sources, what they said of themselves, and what is missing. */
export const coverage: MigrationStep = {
  name: '0009-coverage',
  up: async (db) => {
    await addExpectation(db)
    const isFirst = await createTerms(db)
    await createMarks(db)
    await createBeats(db)
    await createGaps(db)
    if (isFirst) await expectNothingOfThePast(db)
  },
}

// SQLite cannot add a column only if it is missing.
async function addExpectation(db: Db): Promise<void> {
  const tables = await db.introspection.getTables()
  const sources = tables.find(({ name }) => name === 'sources')
  if (sources?.columns.some(({ name }) => name === 'expects') === true) return
  await db.schema
    .alterTable('sources')
    .addColumn('expects', 'text', (c) => c.notNull().defaultTo('continuous'))
    .execute()
}

async function createTerms(db: Db): Promise<boolean> {
  const tables = await db.introspection.getTables()
  await db.schema
    .createTable('source_terms')
    .ifNotExists()
    .addColumn('source', 'text', (c) => c.notNull())
    .addColumn('origin', 'text', (c) => c.notNull())
    .addColumn('from_ms', 'bigint', (c) => c.notNull())
    .addColumn('expects', 'text', (c) => c.notNull())
    .addColumn('recorded_ms', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('source_terms_key', ['source', 'origin', 'recorded_ms'])
    .execute()
  return !tables.some(({ name }) => name === 'source_terms')
}

async function createMarks(db: Db): Promise<void> {
  await db.schema
    .createTable('source_marks')
    .ifNotExists()
    .addColumn('source', 'text', (c) => c.primaryKey())
    .addColumn('start_ms', 'bigint')
    .addColumn('start_recorded_ms', 'bigint')
    .addColumn('through_ms', 'bigint')
    .addColumn('last_number', 'bigint')
    .addColumn('last_number_ms', 'bigint')
    .execute()
}

async function createBeats(db: Db): Promise<void> {
  await db.schema
    .createTable('source_beats')
    .ifNotExists()
    .addColumn('source', 'text', (c) => c.notNull())
    .addColumn('start_ms', 'bigint', (c) => c.notNull())
    .addColumn('end_ms', 'bigint', (c) => c.notNull())
    .addColumn('recorded_ms', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('source_beats_key', ['source', 'start_ms', 'end_ms', 'recorded_ms'])
    .execute()
  // A day is read by what ends after it began: of the past years that leaves little.
  await index(db, 'source_beats', ['end_ms'])
}

async function createGaps(db: Db): Promise<void> {
  await db.schema
    .createTable('source_gaps')
    .ifNotExists()
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('source', 'text', (c) => c.notNull())
    .addColumn('start_ms', 'bigint', (c) => c.notNull())
    .addColumn('end_ms', 'bigint', (c) => c.notNull())
    .addColumn('file', 'text')
    .addColumn('first_number', 'bigint')
    .addColumn('last_number', 'bigint')
    .addColumn('recorded_ms', 'bigint', (c) => c.notNull())
    .addColumn('filled_ms', 'bigint')
    .execute()
  await index(db, 'source_gaps', ['end_ms'])
  await index(db, 'source_gaps', ['source', 'filled_ms'])
}

/** What came before this release has no heartbeats: it would look as if most of it were missing. */
async function expectNothingOfThePast(db: Db): Promise<void> {
  await sql`
    insert into source_terms (source, origin, from_ms, expects, recorded_ms)
    select name, 'catalog', 0, 'sporadic', 0 from sources`.execute(db)
  await sql`
    insert into source_terms (source, origin, from_ms, expects, recorded_ms)
    select distinct source, 'config', 0, 'sporadic', 0 from ingest_totals`.execute(db)
}

async function index(db: Db, table: string, columns: readonly string[]): Promise<void> {
  await db.schema
    .createIndex(`${table}_${columns.join('_')}`)
    .ifNotExists()
    .on(table)
    .columns([...columns])
    .execute()
}

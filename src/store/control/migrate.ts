import { type Kysely, sql } from 'kysely'
import type { Clock, EpochMs } from '../../core/clock.ts'
import { AppError } from '../../core/errors.ts'
import type { Backend, ControlDatabase } from './tables.ts'

/**
 * One named change of the schema. Every step may run again without harm: its statements say
 * `if not exists` or check first.
 */
export interface MigrationStep {
  readonly name: string
  up(db: Kysely<ControlDatabase>, backend: Backend): Promise<void>
}

/** What has been applied. */
export interface MigrationTables {
  migrations: { name: string; applied_ms: EpochMs }
}

/** Any number that nobody else on the database server uses for advisory locks. */
const LOCK_ID = 5_747_471

/**
 * Brings the schema up to date and returns the names of the steps it applied.
 *
 * Each step commits together with its record, so a crash between steps continues where it stopped.
 * Several nodes may call this at once; PostgreSQL lets one at a time through.
 *
 * Errors: `config_invalid` when the database was written by a newer release.
 */
export async function migrate(
  db: Kysely<ControlDatabase>,
  backend: Backend,
  steps: readonly MigrationStep[],
  clock: Clock,
): Promise<readonly string[]> {
  // Asked first, so that an ordinary start writes nothing and waits for nobody.
  if (await isUpToDate(db, steps)) return []
  await db.transaction().execute(async (trx) => {
    await lock(trx, backend)
    await trx.schema
      .createTable('migrations')
      .ifNotExists()
      .addColumn('name', 'text', (column) => column.primaryKey())
      .addColumn('applied_ms', 'bigint', (column) => column.notNull())
      .execute()
  })
  await refuseNewer(db, steps)
  const applied: string[] = []
  for (const step of steps) {
    if (await applyStep(db, backend, step, clock)) applied.push(step.name)
  }
  return applied
}

/** Tells what a database holds, without changing it. Errors: as of `migrate`. */
export async function readSchemaAge(
  db: Kysely<ControlDatabase>,
  steps: readonly MigrationStep[],
): Promise<'none' | 'older' | 'current'> {
  const tables = await db.introspection.getTables()
  if (!tables.some((table) => table.name === 'migrations')) return 'none'
  return (await isUpToDate(db, steps)) ? 'current' : 'older'
}

async function isUpToDate(
  db: Kysely<ControlDatabase>,
  steps: readonly MigrationStep[],
): Promise<boolean> {
  const tables = await db.introspection.getTables()
  if (!tables.some((table) => table.name === 'migrations')) return false
  await refuseNewer(db, steps)
  const rows = await db.selectFrom('migrations').select('name').execute()
  const applied = new Set(rows.map((row) => row.name))
  return steps.every((step) => applied.has(step.name))
}

async function lock(trx: Kysely<ControlDatabase>, backend: Backend): Promise<void> {
  if (backend === 'postgres') await sql`select pg_advisory_xact_lock(${LOCK_ID})`.execute(trx)
}

async function refuseNewer(
  db: Kysely<ControlDatabase>,
  steps: readonly MigrationStep[],
): Promise<void> {
  const known = new Set(steps.map((step) => step.name))
  const rows = await db.selectFrom('migrations').select('name').orderBy('name').execute()
  const newer = rows.find((row) => !known.has(row.name))
  if (newer === undefined) return
  throw new AppError(
    'config_invalid',
    `The control store was written by a newer release (step ${newer.name}); start that release, or restore a backup made before the upgrade.`,
  )
}

function applyStep(
  db: Kysely<ControlDatabase>,
  backend: Backend,
  step: MigrationStep,
  clock: Clock,
): Promise<boolean> {
  return db.transaction().execute(async (trx) => {
    await lock(trx, backend)
    const done = await trx
      .selectFrom('migrations')
      .select('name')
      .where('name', '=', step.name)
      .executeTakeFirst()
    if (done !== undefined) return false
    await step.up(trx, backend)
    await trx
      .insertInto('migrations')
      .values({ name: step.name, applied_ms: clock.nowMs() })
      .execute()
    return true
  })
}

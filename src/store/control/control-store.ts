import { Kysely, sql } from 'kysely'
import type { CatalogReader } from '../../api/operations/ports.ts'
import type { AlertOutbox, AlertStore } from '../../billing/alert-ports.ts'
import type { Attribution } from '../../catalog/model.ts'
import type { Clock } from '../../core/clock.ts'
import { createAlertOutbox } from './alert-outbox.ts'
import { createAlertStore } from './alert-store.ts'
import { type TokenReader, createCatalogReader, readAttributions } from './catalog-reader.ts'
import {
  type ClosedUntil,
  type ControlCatalogStore,
  createCatalogStore,
  readRevision,
} from './catalog-store.ts'
import { resealKeys } from './master-key-rotation.ts'
import type { MasterKeys } from './master-key.ts'
import { readClosedUntil } from './books.ts'
import { createMemo } from './memo.ts'
import { migrate } from './migrate.ts'
import { MIGRATIONS } from './migrations/list.ts'
import { createPostgresDialect } from './postgres.ts'
import { createSqliteDialect } from './sqlite.ts'
import type { Backend, ControlDatabase } from './tables.ts'

/** Everything that needs transactions: the catalog, checkpoints, books. */
export interface ControlStore {
  readonly backend: Backend
  /**
   * For the other areas of this store. Inside `transaction()` use only the transaction's handle.
   */
  readonly db: Kysely<ControlDatabase>
  /** What the catalog's rules work on. */
  readonly catalog: ControlCatalogStore
  /** What the APIs and ingest read, from memory. */
  readonly reader: CatalogReader & TokenReader
  /** Alerts, and what is to be delivered of them. */
  readonly alerts: AlertStore
  readonly alertOutbox: AlertOutbox
  /** Migration steps that opening the store applied. */
  readonly migrated: readonly string[]
  /** Whom usage belongs to, per resource and stretch of time, ordered by meter, name, time. */
  attributions(): Promise<readonly Attribution[]>
  /** Grows with every change that may change `attributions`. */
  revision(): Promise<number>
  /** Resolves when the database answers. */
  ping(): Promise<void>
  close(): Promise<void>
}

export interface ControlStoreDeps {
  readonly clock: Clock
  readonly masterKeys: MasterKeys
  /** Told of connections that PostgreSQL dropped while idle. */
  readonly onIdleError?: (error: Error) => void
  /** Up to where books are closed; default: as the books say. */
  readonly closedUntil?: ClosedUntil
}

/**
 * Opens the control store, bringing its schema up to date.
 *
 * `location` is a `postgres://` URL or the path of a SQLite file, made when missing.
 * Errors: `config_invalid` when a newer release wrote it.
 */
export async function openControlStore(
  location: string,
  deps: ControlStoreDeps,
): Promise<ControlStore> {
  const backend: Backend = /^postgres(ql)?:\/\//.test(location) ? 'postgres' : 'sqlite'
  const dialect =
    backend === 'postgres'
      ? createPostgresDialect(location, deps.onIdleError)
      : createSqliteDialect(location)
  const db = new Kysely<ControlDatabase>({ dialect })
  try {
    const migrated = await migrate(db, backend, MIGRATIONS, deps.clock)
    await resealKeys(db, deps.masterKeys)
    return createControlStore(db, backend, migrated, deps)
  } catch (error) {
    await db.destroy()
    throw error
  }
}

function createControlStore(
  db: Kysely<ControlDatabase>,
  backend: Backend,
  migrated: readonly string[],
  deps: ControlStoreDeps,
): ControlStore {
  const memo = createMemo(deps.clock, () => readRevision(db, 'catalog'))
  const catalog = createCatalogStore(
    db,
    deps.masterKeys,
    () => memo.forget(),
    deps.closedUntil ?? readClosedUntil,
  )
  return {
    backend,
    db,
    migrated,
    catalog,
    reader: createCatalogReader(db, deps.masterKeys, memo),
    alerts: createAlertStore(db, deps.masterKeys, catalog),
    alertOutbox: createAlertOutbox(db, deps.masterKeys),
    attributions: () => readAttributions(db),
    revision: () => readRevision(db, 'attribution'),
    ping: async () => {
      await sql`select 1`.execute(db)
    },
    close: () => db.destroy(),
  }
}

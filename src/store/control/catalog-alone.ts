import { existsSync } from 'node:fs'
import { Kysely } from 'kysely'
import type { CatalogStore } from '../../catalog/ports.ts'
import { AppError } from '../../core/errors.ts'
import { createCatalogStore } from './catalog-store.ts'
import type { MasterKeys } from './master-key.ts'
import { readSchemaAge } from './migrate.ts'
import { MIGRATIONS } from './migrations/list.ts'
import { createPostgresDialect } from './postgres.ts'
import { createSqliteDialect } from './sqlite.ts'
import type { ControlDatabase } from './tables.ts'

/** What a command that changes one entry has no use for: it seals and opens no secret. */
const NO_MASTER_KEYS: MasterKeys = {
  currentId: '',
  seal: () => refuseSecret(),
  open: () => refuseSecret(),
}

/**
 * Opens the catalog of a control store that a server has made, and nothing else of it: makes no
 * file, no table and no key. A server may be running on it; it sees a change within a second.
 *
 * `location` is a `postgres://` URL or the path of a SQLite file.
 * Errors: `config_invalid` where no server has been, or one of another release; what the driver
 * throws where there is no database.
 * Limits: no key pairs can be made or read, since they need the master key.
 */
export async function openCatalogAlone(
  location: string,
): Promise<{ readonly catalog: CatalogStore; close(): Promise<void> }> {
  const isPostgres = /^postgres(ql)?:\/\//.test(location)
  if (!isPostgres && !existsSync(location)) throw noStore()
  const db = new Kysely<ControlDatabase>({
    dialect: isPostgres ? createPostgresDialect(location) : createSqliteDialect(location),
  })
  try {
    const age = await readSchemaAge(db, MIGRATIONS)
    if (age === 'none') throw noStore()
    if (age === 'older') {
      throw new AppError(
        'config_invalid',
        'The control store was written by an older release; start `weir serve` of this one once, which brings it up to date.',
      )
    }
  } catch (error) {
    await db.destroy()
    throw error
  }
  const catalog = createCatalogStore(db, NO_MASTER_KEYS, () => undefined)
  return { catalog, close: () => db.destroy() }
}

function noStore(): AppError {
  return new AppError(
    'config_invalid',
    'No server has kept anything there yet; name its data directory with --data, or its configuration with --config.',
  )
}

function refuseSecret(): never {
  throw new AppError('internal', 'A catalog that is opened alone has no master key.')
}

import type { AlertTables } from './alert-tables.ts'
import type { BooksTables } from './books-tables.ts'
import type { CatalogTables } from './catalog-tables.ts'
import type { ChargeTables } from './charge-tables.ts'
import type { CoverageTables } from './coverage-tables.ts'
import type { IngestTables } from './ingest-tables.ts'
import type { LedgerTables } from './ledger-tables.ts'
import type { MigrationTables } from './migrate.ts'

/** Every table of the control store; each area brings its own interface. */
export interface ControlDatabase
  extends
    AlertTables,
    BooksTables,
    CatalogTables,
    ChargeTables,
    CoverageTables,
    IngestTables,
    LedgerTables,
    MigrationTables {}

/** Which database is underneath. */
export type Backend = 'sqlite' | 'postgres'

import type { BooksTables } from './books-tables.ts'
import type { CatalogTables } from './catalog-tables.ts'
import type { IngestTables } from './ingest-tables.ts'
import type { LedgerTables } from './ledger-tables.ts'
import type { MigrationTables } from './migrate.ts'

/** Every table of the control store; each area brings its own interface. */
export interface ControlDatabase
  extends BooksTables, CatalogTables, IngestTables, LedgerTables, MigrationTables {}

/** Which database is underneath. */
export type Backend = 'sqlite' | 'postgres'

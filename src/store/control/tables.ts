import type { CatalogTables } from './catalog-tables.ts'
import type { MigrationTables } from './migrate.ts'

/** Every table of the control store; each area brings its own interface. */
export interface ControlDatabase extends CatalogTables, MigrationTables {}

/** Which database is underneath. */
export type Backend = 'sqlite' | 'postgres'

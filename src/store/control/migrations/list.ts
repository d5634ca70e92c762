import type { MigrationStep } from '../migrate.ts'
import { catalog } from './0001-catalog.ts'
import { ingest } from './0002-ingest.ts'
import { books } from './0003-books.ts'
import { ledger } from './0004-ledger.ts'

/** Every migration step, in the order in which they run. Append; never reorder, rename or edit. */
export const MIGRATIONS: readonly MigrationStep[] = [catalog, ingest, books, ledger]

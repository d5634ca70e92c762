import type { MigrationStep } from '../migrate.ts'
import { catalog } from './0001-catalog.ts'
import { ingest } from './0002-ingest.ts'
import { books } from './0003-books.ts'
import { ledger } from './0004-ledger.ts'
import { packageTerms } from './0005-package-terms.ts'
import { chargeModes } from './0006-charge-modes.ts'
import { bills } from './0007-bills.ts'
import { alerts } from './0008-alerts.ts'
import { coverage } from './0009-coverage.ts'
import { auditChain } from './0010-audit-chain.ts'
import { ownerIndex } from './0011-owner-index.ts'
import { exclusiveEnds } from './0012-exclusive-ends.ts'

/** Every migration step, in the order in which they run. Append; never reorder, rename or edit. */
export const MIGRATIONS: readonly MigrationStep[] = [
  catalog,
  ingest,
  books,
  ledger,
  packageTerms,
  chargeModes,
  bills,
  alerts,
  coverage,
  auditChain,
  ownerIndex,
  exclusiveEnds,
]

/** Tables of the books as Kysely types them; columns are those of migrations/0003-books.ts. */

import type { BytesColumn, FlagColumn, MsColumn } from './catalog-tables.ts'

export interface ClosedDayRow {
  resource_id: string
  start_ms: MsColumn
  end_ms: MsColumn
  bytes: BytesColumn
  quantity_gb: BytesColumn
  charged: FlagColumn
  closed_ms: MsColumn
}

/** Tables of the books. */
export interface BooksTables {
  closed_days: ClosedDayRow
}

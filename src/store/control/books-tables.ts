/** Tables of the books as Kysely types them; columns: migrations/0003-books.ts, 0007-bills.ts. */

import type { BytesColumn, FlagColumn, JsonColumn, MsColumn } from './catalog-tables.ts'

/** Days that were closed before there were books; copied into `address_days`. */
export interface ClosedDayRow {
  resource_id: string
  start_ms: MsColumn
  end_ms: MsColumn
  bytes: BytesColumn
  quantity_gb: BytesColumn
  charged: FlagColumn
  closed_ms: MsColumn
}

export interface BookRow {
  account_id: string
  meter: string
  zone: string
  start_ms: MsColumn
  closed_until_ms: MsColumn
  billed_until_ms: MsColumn
  /** Of the last record; 0 before the first. Also what tells that somebody else went on. */
  sequence: number
  hash: string
  state: JsonColumn
}

export interface BookRecordRow {
  account_id: string
  meter: string
  sequence: number
  kind: string
  /** day: its date; adjustment: its id; bill: its month. */
  ref: string
  /** Where the day or month begins. */
  start_ms: MsColumn
  /** Local month: of a day its own, of an adjustment that of the bill which carries it. */
  month: string
  /** As it was hashed, byte for byte. */
  content: string
  /** Of bills only: what lists show. */
  summary: JsonColumn | null
  previous_hash: string
  hash: string
  closed_ms: MsColumn
}

export interface AddressDayRow {
  account_id: string
  resource_id: string
  start_ms: MsColumn
  end_ms: MsColumn
  bytes: BytesColumn
  quantity_gb: BytesColumn
}

export interface LateMarkRow {
  meter: string
  batch: number
}

/** Tables of the books. */
export interface BooksTables {
  closed_days: ClosedDayRow
  books: BookRow
  book_records: BookRecordRow
  address_days: AddressDayRow
  late_marks: LateMarkRow
}

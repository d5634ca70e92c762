/** Tables of the ledger as Kysely types them; columns are those of migrations/0004-ledger.ts. */

import type { MsColumn } from './catalog-tables.ts'

/** A signed integer of any size as decimal text. */
export type AmountColumn = string

/** Also the lock that lets one poster at a time into an account. */
export interface LedgerHeadRow {
  account_id: string
  /** Sequence of the account's last posting; 0 before the first. */
  sequence: number
  hash: string
}

export interface LedgerPostingRow {
  account_id: string
  sequence: number
  key: string
  /** `bytes`, or the code of a currency. */
  unit: string
  at_ms: MsColumn
  description: string
  previous_hash: string
  hash: string
  /** When it was written; no part of what is hashed. */
  recorded_ms: MsColumn
}

export interface LedgerLegRow {
  account_id: string
  sequence: number
  ledger_account: string
  amount: AmountColumn
}

export interface LedgerBalanceRow {
  account_id: string
  unit: string
  ledger_account: string
  amount: AmountColumn
}

/** Tables of the ledger. */
export interface LedgerTables {
  ledger_heads: LedgerHeadRow
  ledger_postings: LedgerPostingRow
  ledger_legs: LedgerLegRow
  ledger_balances: LedgerBalanceRow
}

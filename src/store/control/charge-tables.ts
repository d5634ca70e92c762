/** Tables of charge modes as Kysely types them; columns are those of 0006-charge-modes.ts. */

import type { JsonColumn, MsColumn } from './catalog-tables.ts'

export interface RulePackRow {
  /** SHA-256 of what the pack says. */
  hash: string
  name: string
  version: string
  /** YAML, as it was written. */
  content: string
  recorded_ms: MsColumn
}

export interface ChargeModeRow {
  id: string
  account_id: string
  meter: string
  from_ms: MsColumn
  requested_ms: MsColumn
  pack_hash: string
  /** Group name → resource ids. */
  groups: JsonColumn
  actor: string
}

/** Tables of charge modes. */
export interface ChargeTables {
  rule_packs: RulePackRow
  charge_modes: ChargeModeRow
}

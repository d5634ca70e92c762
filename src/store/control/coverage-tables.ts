/** Tables of coverage as Kysely types them; columns are those of 0009-coverage.ts. */

import type { MsColumn } from './catalog-tables.ts'

export interface SourceTermRow {
  source: string
  /** Who says so: the catalog, or a process that follows the source's files. */
  origin: 'catalog' | 'config'
  /** From here on. */
  from_ms: MsColumn
  expects: 'continuous' | 'sporadic' | 'retired'
  recorded_ms: MsColumn
}

export interface SourceMarkRow {
  source: string
  /** The first slot in which it was heard of. */
  start_ms: MsColumn | null
  start_recorded_ms: MsColumn | null
  /** Everything up to here was sent, as it said. */
  through_ms: MsColumn | null
  /** The highest `Weir-Sequence`, and when it came. */
  last_number: number | null
  last_number_ms: MsColumn | null
}

export interface SourceBeatRow {
  source: string
  /** Whole slots. */
  start_ms: MsColumn
  end_ms: MsColumn
  /** 0: each slot while it lasted, so the row grew with time. */
  recorded_ms: MsColumn
}

export interface SourceGapRow {
  id: string
  source: string
  start_ms: MsColumn
  end_ms: MsColumn
  /** Identity of the log file that was lost; null for missing numbers. */
  file: string | null
  /** Numbers that are missing, both included. */
  first_number: number | null
  last_number: number | null
  recorded_ms: MsColumn
  /** When what was missing came after all. */
  filled_ms: MsColumn | null
}

/** Tables of coverage. */
export interface CoverageTables {
  source_terms: SourceTermRow
  source_marks: SourceMarkRow
  source_beats: SourceBeatRow
  source_gaps: SourceGapRow
}

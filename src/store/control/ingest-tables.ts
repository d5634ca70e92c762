/** Tables of the ingest registry as Kysely types them; columns: migrations/0002-ingest.ts. */

import type { BytesColumn, FlagColumn, JsonColumn, MsColumn } from './catalog-tables.ts'

export interface FrameRow {
  seq: number
  source: string
  meter: string
  is_replay: FlagColumn
  received_ms: MsColumn
  loaded_ms: MsColumn
  lines: number
  accepted: number
  duplicate: number
  /** Reason → lines. */
  rejected: JsonColumn
  bytes: BytesColumn
}

export interface TotalsRow {
  source: string
  meter: string
  lines: number
  accepted: number
  duplicate: number
  rejected: number
}

export interface FileChunkRow {
  file_id: string
  byte_offset: number
  length: number
  lines: number
  sha256: string
  head_hash: string
  path: string
}

export interface RequestKeyRow {
  source: string
  request_key: string
  seq: number
  received_ms: MsColumn
}

/** Tables of what became of received frames. */
export interface IngestTables {
  ingest_frames: FrameRow
  ingest_totals: TotalsRow
  file_chunks: FileChunkRow
  request_keys: RequestKeyRow
}

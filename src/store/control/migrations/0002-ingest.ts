import type { MigrationStep } from '../migrate.ts'

/** Tables of what became of received frames: outcomes, totals, log file chunks, request keys. */
export const ingest: MigrationStep = {
  name: '0002-ingest',
  up: async (db) => {
    await db.schema
      .createTable('ingest_frames')
      .ifNotExists()
      .addColumn('seq', 'bigint', (c) => c.primaryKey())
      .addColumn('source', 'text', (c) => c.notNull())
      .addColumn('meter', 'text', (c) => c.notNull())
      .addColumn('is_replay', 'integer', (c) => c.notNull())
      .addColumn('received_ms', 'bigint', (c) => c.notNull())
      .addColumn('loaded_ms', 'bigint', (c) => c.notNull())
      .addColumn('lines', 'bigint', (c) => c.notNull())
      .addColumn('accepted', 'bigint', (c) => c.notNull())
      .addColumn('duplicate', 'bigint', (c) => c.notNull())
      .addColumn('rejected', 'text', (c) => c.notNull())
      .addColumn('bytes', 'bigint', (c) => c.notNull())
      .execute()
    await db.schema
      .createIndex('ingest_frames_received')
      .ifNotExists()
      .on('ingest_frames')
      .column('received_ms')
      .execute()
    // What the frames of a source add up to, kept when the frames themselves are forgotten.
    await db.schema
      .createTable('ingest_totals')
      .ifNotExists()
      .addColumn('source', 'text', (c) => c.notNull())
      .addColumn('meter', 'text', (c) => c.notNull())
      .addColumn('lines', 'bigint', (c) => c.notNull())
      .addColumn('accepted', 'bigint', (c) => c.notNull())
      .addColumn('duplicate', 'bigint', (c) => c.notNull())
      .addColumn('rejected', 'bigint', (c) => c.notNull())
      .addPrimaryKeyConstraint('ingest_totals_key', ['source', 'meter'])
      .execute()
    await db.schema
      .createTable('file_chunks')
      .ifNotExists()
      .addColumn('file_id', 'text', (c) => c.notNull())
      .addColumn('byte_offset', 'bigint', (c) => c.notNull())
      .addColumn('length', 'bigint', (c) => c.notNull())
      .addColumn('lines', 'bigint', (c) => c.notNull())
      .addColumn('sha256', 'text', (c) => c.notNull())
      .addColumn('head_hash', 'text', (c) => c.notNull())
      .addColumn('path', 'text', (c) => c.notNull())
      .addPrimaryKeyConstraint('file_chunks_key', ['file_id', 'byte_offset'])
      .execute()
    await db.schema
      .createIndex('file_chunks_head')
      .ifNotExists()
      .on('file_chunks')
      .column('head_hash')
      .execute()
    await db.schema
      .createTable('request_keys')
      .ifNotExists()
      .addColumn('source', 'text', (c) => c.notNull())
      .addColumn('request_key', 'text', (c) => c.notNull())
      .addColumn('seq', 'bigint', (c) => c.notNull())
      .addColumn('received_ms', 'bigint', (c) => c.notNull())
      .addPrimaryKeyConstraint('request_keys_key', ['source', 'request_key'])
      .execute()
  },
}

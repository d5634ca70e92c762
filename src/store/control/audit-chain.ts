/**
 * The chain of hashes over the audit log of the catalog: its text, and whether rows still hold it.
 */
import {
  type BrokenLink,
  type ChainHead,
  type ChainLink,
  checkLink,
  linkText,
} from '../../core/hash-chain.ts'
import type { AuditRow } from './catalog-tables.ts'

/** A row of the audit log without its place in the chain. */
export type AuditRecord = Omit<AuditRow, 'sequence' | 'previous_hash' | 'hash'>

/**
 * Writes a record in the one form that is hashed.
 *
 * Shape: JSON without spaces, fields in this order; `before` and `after` as the text that is kept,
 * so that not even a space in them can be changed.
 * Limits: never change it; every hash ever written depends on each character. A new form takes
 * another `format` and leaves this one to the old entries.
 */
export function formatAuditRecord(record: AuditRecord): string {
  return JSON.stringify({
    format: 1,
    id: record.id,
    atMs: record.at_ms,
    actor: record.actor,
    action: record.action,
    target: record.target,
    before: record.before,
    after: record.after,
  })
}

/** Appends a record to the chain that ends at `head`. */
export function linkAuditRecord(head: ChainHead, record: AuditRecord): AuditRow {
  const { sequence, previousHash, hash } = linkText(head, formatAuditRecord(record))
  return { ...record, sequence, previous_hash: previousHash, hash }
}

/** Finds why a row does not follow from `head`; null when it does. */
export function checkAuditRow(head: ChainHead, row: AuditRow): BrokenLink | null {
  const { sequence, previous_hash: previousHash, hash } = row
  const link: ChainLink = { sequence, previousHash, hash }
  return checkLink(head, link, formatAuditRecord(row))
}

/**
 * The chain of hashes over the postings of one account, by which a later change of an entry shows.
 */
import { createHash } from 'node:crypto'
import { formatUnit, type Posting } from './ledger.ts'

/** A posting in its place in the chain of its account. */
export interface LedgerEntry {
  readonly posting: Posting
  /** 1 for the first posting of the account, then without gaps. */
  readonly sequence: number
  /** Hash of the entry before. */
  readonly previousHash: string
  readonly hash: string
}

/** The last entry of a chain. */
export interface LedgerHead {
  readonly sequence: number
  readonly hash: string
}

/** Head of an account without postings. */
export const EMPTY_HEAD: LedgerHead = { sequence: 0, hash: '0'.repeat(64) }

/** Where a chain stops holding. */
export interface BrokenLink {
  /** The sequence that was due there. */
  readonly sequence: number
  /** `sequence`: another entry stands there; `previous-hash`, `hash`: that hash is wrong. */
  readonly reason: 'sequence' | 'previous-hash' | 'hash'
}

/**
 * Writes a posting in the one form that is hashed.
 *
 * Shape: JSON without spaces, fields in this order, legs by ledger account, amounts as text.
 * Limits: never change it; every hash ever written depends on each character. A new form takes
 * another `format` and leaves this one to the old entries.
 */
export function formatPosting(posting: Posting): string {
  const legs = posting.legs
    .map(({ ledgerAccount, amount }): [string, string] => [ledgerAccount, String(amount)])
    .sort(([a], [b]) => (a < b ? -1 : 1))
  return JSON.stringify({
    format: 1,
    account: posting.accountId,
    key: posting.key,
    atMs: posting.atMs,
    unit: formatUnit(posting.unit),
    description: posting.description,
    legs,
  })
}

/** SHA-256, in hex, of the previous hash followed by the posting's text. */
export function hashPosting(previousHash: string, posting: Posting): string {
  return createHash('sha256').update(previousHash).update(formatPosting(posting)).digest('hex')
}

/** Appends a posting to the chain that ends at `head`. */
export function linkPosting(head: LedgerHead, posting: Posting): LedgerEntry {
  return {
    posting,
    sequence: head.sequence + 1,
    previousHash: head.hash,
    hash: hashPosting(head.hash, posting),
  }
}

/**
 * Finds the first entry that does not follow from the one before it; null when all do.
 *
 * Shape: entries of one account in ascending order, beginning right after `after`.
 * Limits: entries missing at the end show only in a head that was kept elsewhere.
 */
export function verifyChain(
  entries: readonly LedgerEntry[],
  after: LedgerHead = EMPTY_HEAD,
): BrokenLink | null {
  let head = after
  for (const entry of entries) {
    const due = linkPosting(head, entry.posting)
    const { sequence } = due
    if (entry.sequence !== sequence) return { sequence, reason: 'sequence' }
    if (entry.previousHash !== due.previousHash) return { sequence, reason: 'previous-hash' }
    if (entry.hash !== due.hash) return { sequence, reason: 'hash' }
    head = due
  }
  return null
}

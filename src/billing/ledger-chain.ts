/**
 * The chain of hashes over the postings of one account, by which a later change of an entry shows.
 */
import {
  type BrokenLink,
  type ChainHead,
  type ChainLink,
  checkLink,
  EMPTY_HEAD,
  hashLink,
  linkText,
} from '../core/hash-chain.ts'
import { formatUnit, type Posting } from './ledger.ts'

export { type BrokenLink, EMPTY_HEAD } from '../core/hash-chain.ts'

/** The last entry of an account's chain. */
export type LedgerHead = ChainHead

/** A posting in its place in the chain of its account. */
export interface LedgerEntry extends ChainLink {
  readonly posting: Posting
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
  return hashLink(previousHash, formatPosting(posting))
}

/** Appends a posting to the chain that ends at `head`. */
export function linkPosting(head: LedgerHead, posting: Posting): LedgerEntry {
  return { posting, ...linkText(head, formatPosting(posting)) }
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
    const broken = checkLink(head, entry, formatPosting(entry.posting))
    if (broken !== null) return broken
    head = entry
  }
  return null
}

/**
 * Chains of hashes: each link's hash covers the one before, so that a later change of any shows.
 */
import { createHash } from 'node:crypto'

/** The last link of a chain. */
export interface ChainHead {
  readonly sequence: number
  readonly hash: string
}

/** One place in a chain. */
export interface ChainLink extends ChainHead {
  /** 1 for the first link, then without gaps. */
  readonly sequence: number
  /** Hash of the link before. */
  readonly previousHash: string
  /** SHA-256, in hex, of the previous hash followed by the text that is chained. */
  readonly hash: string
}

/** Where a chain stops holding. */
export interface BrokenLink {
  /** The sequence that was due there. */
  readonly sequence: number
  /** `sequence`: another link stands there; `previous-hash`, `hash`: that hash is wrong. */
  readonly reason: 'sequence' | 'previous-hash' | 'hash'
}

/** Head of a chain without links. */
export const EMPTY_HEAD: ChainHead = { sequence: 0, hash: '0'.repeat(64) }

/** SHA-256, in hex, of the previous hash followed by the text. */
export function hashLink(previousHash: string, text: string): string {
  return createHash('sha256').update(previousHash).update(text).digest('hex')
}

/** Makes the link of a text that comes right after `head`. */
export function linkText(head: ChainHead, text: string): ChainLink {
  return {
    sequence: head.sequence + 1,
    previousHash: head.hash,
    hash: hashLink(head.hash, text),
  }
}

/** Finds why the link does not follow from `head` with that text; null when it does. */
export function checkLink(head: ChainHead, link: ChainLink, text: string): BrokenLink | null {
  const due = linkText(head, text)
  const { sequence } = due
  if (link.sequence !== sequence) return { sequence, reason: 'sequence' }
  if (link.previousHash !== due.previousHash) return { sequence, reason: 'previous-hash' }
  if (link.hash !== due.hash) return { sequence, reason: 'hash' }
  return null
}

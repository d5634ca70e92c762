import { AppError, assert } from '../core/errors.ts'
import { formatMoney } from '../core/money.ts'
import { hashPosting, type LedgerEntry, type LedgerHead, linkPosting } from './ledger-chain.ts'
import {
  addLegs,
  assertPosting,
  type LedgerBalance,
  overdrawnBy,
  type Posting,
  totalsOf,
} from './ledger.ts'

/** What has to be known of an account before it is posted to. */
export interface LedgerState {
  readonly head: LedgerHead
  readonly balances: readonly LedgerBalance[]
  /** Entries that already bear one of the keys to be posted, by key. */
  readonly posted: ReadonlyMap<string, Omit<LedgerEntry, 'posting'>>
}

/** What became of one posting. */
export interface PostingReceipt {
  readonly key: string
  readonly sequence: number
  readonly hash: string
  /** False when the key was posted before, with the same content. */
  readonly isNew: boolean
}

/** What has to be written so that an account is posted to. */
export interface LedgerPlan {
  /** New entries, ascending. */
  readonly entries: readonly LedgerEntry[]
  /** Balances that they change, as they are afterwards. */
  readonly balances: readonly LedgerBalance[]
  readonly head: LedgerHead
  /** One per posting, in their order. */
  readonly receipts: readonly PostingReceipt[]
}

/**
 * Plans the postings of one account, one after the other; writes nothing.
 *
 * Errors: `conflict` for a key that is posted with other content (field `key`) and for a posting
 * that would overdraw a ledger account (field: its name).
 */
export function planPostings(
  accountId: string,
  state: LedgerState,
  postings: readonly Posting[],
): LedgerPlan {
  const totals = totalsOf(state.balances)
  const posted = new Map(state.posted)
  const moved: LedgerBalance[] = []
  const entries: LedgerEntry[] = []
  let { head } = state
  const receipts = postings.map((posting): PostingReceipt => {
    assertPosting(posting)
    const { key } = posting
    assert(posting.accountId === accountId, `posting ${key} is not of account ${accountId}`)
    const earlier = posted.get(key)
    if (earlier !== undefined) {
      const { sequence, previousHash, hash } = earlier
      if (hashPosting(previousHash, posting) !== hash) throw keyTaken(posting)
      return { key, sequence, hash, isNew: false }
    }
    for (const balance of addLegs(totals, posting)) {
      if (overdrawnBy(balance) > 0n) throw overdrawn(posting, balance)
      moved.push(balance)
    }
    const entry = linkPosting(head, posting)
    head = { sequence: entry.sequence, hash: entry.hash }
    posted.set(key, entry)
    entries.push(entry)
    return { key, ...head, isNew: true }
  })
  // The last of several balances of one ledger account wins.
  return { entries, balances: [...totalsOf(moved).values()], head, receipts }
}

function keyTaken({ key, accountId }: Posting): AppError {
  return new AppError(
    'conflict',
    `The ledger of account ${accountId} already has a posting ${key} with other content; post a correction under a key of its own.`,
    { field: 'key' },
  )
}

function overdrawn({ key, accountId }: Posting, balance: LedgerBalance): AppError {
  const { unit, ledgerAccount } = balance
  const missing = overdrawnBy(balance)
  const amount = unit === 'bytes' ? `${missing} bytes are` : `${formatMoney(missing)} ${unit} is`
  return new AppError(
    'conflict',
    `Posting ${key} would overdraw ${ledgerAccount} of account ${accountId}: ${amount} missing; take no more than it holds.`,
    { field: ledgerAccount },
  )
}

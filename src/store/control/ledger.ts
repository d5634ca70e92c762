import type { Kysely, Transaction } from 'kysely'
import type { LedgerHead } from '../../billing/ledger-chain.ts'
import type { LedgerPlan, LedgerState, PostingReceipt } from '../../billing/ledger-plan.ts'
import type { LedgerRules } from '../../billing/ledger-rules.ts'
import type { LedgerBalance, Posting } from '../../billing/ledger.ts'
import type { Clock, EpochMs } from '../../core/clock.ts'
import { AppError, assert } from '../../core/errors.ts'
import { auditLedger, type LedgerAudit } from './ledger-audit.ts'
import {
  readBalances,
  readEntries,
  type StoredEntry,
  toBalanceRow,
  toLegRows,
  toPostingRow,
} from './ledger-rows.ts'
import type { ControlDatabase } from './tables.ts'

type Db = Kysely<ControlDatabase>
type Trx = Transaction<ControlDatabase>

/** A stretch of an account's entries. */
export interface EntryPage {
  /** Entries above this sequence; absent: from the first. */
  readonly afterSequence?: number
  /** 1 to 1000. */
  readonly limit: number
}

/** The double-entry ledger of package bytes and of money. */
export interface Ledger {
  /**
   * Writes postings, all of them or none, in their order; a key that is posted stays as it is.
   *
   * Postings of one account wait for each other, whichever node makes them.
   * Errors: `conflict` for a key with other content (field `key`), and for a posting that would
   * overdraw a ledger account (field: its name).
   */
  post(postings: readonly Posting[]): Promise<readonly PostingReceipt[]>
  /**
   * Does what `post` does as a part of the caller's transaction.
   *
   * Limits: call it once per transaction; accounts are locked in order, so that transactions never
   * wait for each other in a circle.
   */
  postWithin(trx: Trx, postings: readonly Posting[]): Promise<readonly PostingReceipt[]>
  /** What an account's ledger accounts hold, by unit and name; empty ones included. */
  balances(accountId: string): Promise<readonly LedgerBalance[]>
  /** Entries of an account, ascending. Errors: `parameter_invalid` for another limit. */
  entries(accountId: string, page: EntryPage): Promise<readonly StoredEntry[]>
  /** Walks the chains of all accounts and adds up all balances again. */
  audit(): Promise<LedgerAudit>
}

export interface LedgerDeps {
  readonly rules: LedgerRules
  /** Says when a posting was recorded. */
  readonly clock: Clock
}

/** Most rows in one statement: nine columns of each stay below 32,766 bound values. */
const ROWS_MAX = 1000
const ENTRIES_MAX = 1000

/** Keeps the ledger in the control store. */
export function createLedger(db: Db, { rules, clock }: LedgerDeps): Ledger {
  const postWithin: Ledger['postWithin'] = (trx, postings) =>
    postAll(trx, rules, postings, clock.nowMs())
  return {
    post: (postings) => db.transaction().execute((trx) => postWithin(trx, postings)),
    postWithin,
    balances: (accountId) => readHeld(db, accountId),
    entries: async (accountId, { afterSequence = 0, limit }) => {
      if (!Number.isInteger(limit) || limit < 1 || limit > ENTRIES_MAX) {
        const message = `limit is between 1 and ${ENTRIES_MAX}.`
        throw new AppError('parameter_invalid', message, { field: 'limit' })
      }
      return readEntries(db, rules, accountId, { afterSequence, limit })
    },
    audit: () => auditLedger(db, rules),
  }
}

async function postAll(
  trx: Trx,
  rules: LedgerRules,
  postings: readonly Posting[],
  nowMs: EpochMs,
): Promise<PostingReceipt[]> {
  const byAccount = new Map<string, { index: number; posting: Posting }[]>()
  for (const [index, posting] of postings.entries()) {
    const own = byAccount.get(posting.accountId) ?? []
    own.push({ index, posting })
    byAccount.set(posting.accountId, own)
  }
  const receipts: { index: number; receipt: PostingReceipt }[] = []
  for (const [accountId, own] of [...byAccount].sort(([a], [b]) => (a < b ? -1 : 1))) {
    // First of all the lock: what is read before it may be changed by another node.
    const head = await lockHead(trx, rules, accountId)
    const list = own.map(({ posting }) => posting)
    const state = await readState(trx, accountId, head, list)
    const plan = rules.planPostings(accountId, state, list)
    await writePlan(trx, rules, accountId, plan, nowMs)
    for (const [at, receipt] of plan.receipts.entries()) {
      receipts.push({ index: own[at]?.index ?? 0, receipt })
    }
  }
  return receipts.sort((a, b) => a.index - b.index).map(({ receipt }) => receipt)
}

/**
 * Makes sure that the account has a head, keeps it locked until the transaction ends, and reads it.
 *
 * An update that changes nothing locks in both databases, waits for a first posting that another
 * node is just making, and returns what that one committed.
 */
async function lockHead(trx: Trx, rules: LedgerRules, accountId: string): Promise<LedgerHead> {
  return trx
    .insertInto('ledger_heads')
    .values({ account_id: accountId, ...rules.emptyHead })
    .onConflict((conflict) =>
      conflict
        .column('account_id')
        .doUpdateSet((is) => ({ account_id: is.ref('ledger_heads.account_id') })),
    )
    .returning(['sequence', 'hash'])
    .executeTakeFirstOrThrow()
}

async function readState(
  trx: Trx,
  accountId: string,
  head: LedgerHead,
  postings: readonly Posting[],
): Promise<LedgerState> {
  const posted = new Map<string, { sequence: number; previousHash: string; hash: string }>()
  for (const some of chunksOf(postings)) {
    const keys = some.map((posting) => posting.key)
    const rows = await trx
      .selectFrom('ledger_postings')
      .select(['key', 'sequence', 'previous_hash as previousHash', 'hash'])
      .where('account_id', '=', accountId)
      .where('key', 'in', keys)
      .execute()
    for (const { key, ...entry } of rows) posted.set(key, entry)
  }
  return { head, balances: await readHeld(trx, accountId), posted }
}

async function readHeld(db: Db, accountId: string): Promise<LedgerBalance[]> {
  const balances = await readBalances(db, accountId)
  return balances.map(({ unit, ledgerAccount, amount }) => {
    assert(amount !== undefined, `the balance of ${ledgerAccount} of ${accountId} is no number`)
    return { unit, ledgerAccount, amount }
  })
}

async function writePlan(
  trx: Trx,
  rules: LedgerRules,
  accountId: string,
  { entries, balances, head }: LedgerPlan,
  nowMs: EpochMs,
): Promise<void> {
  if (entries.length === 0) return
  for (const some of chunksOf(entries.map((entry) => toPostingRow(entry, nowMs, rules)))) {
    await trx.insertInto('ledger_postings').values(some).execute()
  }
  for (const some of chunksOf(entries.flatMap(toLegRows))) {
    await trx.insertInto('ledger_legs').values(some).execute()
  }
  for (const some of chunksOf(balances.map((balance) => toBalanceRow(accountId, balance)))) {
    await trx
      .insertInto('ledger_balances')
      .values(some)
      .onConflict((conflict) =>
        conflict
          .columns(['account_id', 'unit', 'ledger_account'])
          .doUpdateSet((is) => ({ amount: is.ref('excluded.amount') })),
      )
      .execute()
  }
  await trx
    .updateTable('ledger_heads')
    .set({ sequence: head.sequence, hash: head.hash })
    .where('account_id', '=', accountId)
    .execute()
}

function chunksOf<T>(rows: readonly T[]): T[][] {
  const count = Math.ceil(rows.length / ROWS_MAX)
  return Array.from({ length: count }, (_, index) =>
    rows.slice(index * ROWS_MAX, (index + 1) * ROWS_MAX),
  )
}

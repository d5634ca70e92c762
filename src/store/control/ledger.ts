import { chunksOf } from '../../core/chunks.ts'
import { type Kysely, sql, type Transaction } from 'kysely'
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
  const accountIds = [...byAccount.keys()].sort()
  for (const some of chunksOf(accountIds, ROWS_MAX)) {
    // First of all the locks: what is read before them may be changed by another node.
    const heads = await lockHeads(trx, rules, some)
    const lists = new Map(
      some.map((id) => [id, (byAccount.get(id) ?? []).map(({ posting }) => posting)]),
    )
    const states = await readStates(trx, heads, lists)
    const plans = new Map<string, LedgerPlan>()
    for (const [accountId, state] of states) {
      const plan = rules.planPostings(accountId, state, lists.get(accountId) ?? [])
      plans.set(accountId, plan)
      for (const [at, receipt] of plan.receipts.entries()) {
        receipts.push({ index: byAccount.get(accountId)?.[at]?.index ?? 0, receipt })
      }
    }
    await writePlans(trx, rules, plans, nowMs)
  }
  return receipts.sort((a, b) => a.index - b.index).map(({ receipt }) => receipt)
}

/**
 * Makes sure that accounts have heads, keeps these locked until the transaction ends, and reads
 * them.
 *
 * An update that changes nothing locks in both databases, waits for a first posting that another
 * node is just making, and returns what that one committed. Accounts ascend, so that two nodes
 * never wait for each other in a circle.
 */
async function lockHeads(
  trx: Trx,
  rules: LedgerRules,
  accountIds: readonly string[],
): Promise<Map<string, LedgerHead>> {
  const rows = await trx
    .insertInto('ledger_heads')
    .values(accountIds.map((account_id) => ({ account_id, ...rules.emptyHead })))
    .onConflict((conflict) =>
      conflict
        .column('account_id')
        .doUpdateSet((is) => ({ account_id: is.ref('ledger_heads.account_id') })),
    )
    .returning(['account_id', 'sequence', 'hash'])
    .execute()
  return new Map(rows.map(({ account_id, ...head }) => [account_id, head]))
}

async function readStates(
  trx: Trx,
  heads: ReadonlyMap<string, LedgerHead>,
  lists: ReadonlyMap<string, readonly Posting[]>,
): Promise<Map<string, LedgerState>> {
  const accountIds = [...heads.keys()]
  type Posted = { sequence: number; previousHash: string; hash: string }
  const posted = new Map<string, Map<string, Posted>>(accountIds.map((id) => [id, new Map()]))
  for (const some of chunksOf([...lists.values()].flat(), ROWS_MAX)) {
    const wanted = some.map(({ accountId, key }) => sql`(${accountId}, ${key})`)
    const rows = await trx
      .selectFrom('ledger_postings')
      .select(['account_id', 'key', 'sequence', 'previous_hash as previousHash', 'hash'])
      .where(sql<boolean>`(account_id, key) in (values ${sql.join(wanted)})`)
      .execute()
    for (const { account_id, key, ...entry } of rows) posted.get(account_id)?.set(key, entry)
  }
  const held = await readAllHeld(trx, accountIds)
  return new Map(
    [...heads].map(([id, head]) => [
      id,
      { head, balances: held.get(id) ?? [], posted: posted.get(id) ?? new Map() },
    ]),
  )
}

async function readHeld(db: Db, accountId: string): Promise<readonly LedgerBalance[]> {
  return (await readAllHeld(db, [accountId])).get(accountId) ?? []
}

async function readAllHeld(
  db: Db,
  accountIds: readonly string[],
): Promise<ReadonlyMap<string, readonly LedgerBalance[]>> {
  const held = new Map<string, LedgerBalance[]>()
  for (const [accountId, balances] of await readBalances(db, accountIds)) {
    const exact = balances.map(({ unit, ledgerAccount, amount }) => {
      assert(amount !== undefined, `the balance of ${ledgerAccount} of ${accountId} is no number`)
      return { unit, ledgerAccount, amount }
    })
    held.set(accountId, exact)
  }
  return held
}

async function writePlans(
  trx: Trx,
  rules: LedgerRules,
  plans: ReadonlyMap<string, LedgerPlan>,
  nowMs: EpochMs,
): Promise<void> {
  const moved = [...plans].filter(([, { entries }]) => entries.length > 0)
  const entries = moved.flatMap(([, plan]) => plan.entries)
  for (const some of chunksOf(
    entries.map((entry) => toPostingRow(entry, nowMs, rules)),
    ROWS_MAX,
  )) {
    await trx.insertInto('ledger_postings').values(some).execute()
  }
  for (const some of chunksOf(entries.flatMap(toLegRows), ROWS_MAX)) {
    await trx.insertInto('ledger_legs').values(some).execute()
  }
  const balances = moved.flatMap(([accountId, plan]) =>
    plan.balances.map((balance) => toBalanceRow(accountId, balance)),
  )
  for (const some of chunksOf(balances, ROWS_MAX)) {
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
  const heads = moved.map(([account_id, { head }]) => ({
    account_id,
    sequence: head.sequence,
    hash: head.hash,
  }))
  for (const some of chunksOf(heads, ROWS_MAX)) {
    await trx
      .insertInto('ledger_heads')
      .values(some)
      .onConflict((conflict) =>
        conflict.column('account_id').doUpdateSet((is) => ({
          sequence: is.ref('excluded.sequence'),
          hash: is.ref('excluded.hash'),
        })),
      )
      .execute()
  }
}

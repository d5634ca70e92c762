import type { Kysely } from 'kysely'
import type { LedgerEntry } from '../../billing/ledger-chain.ts'
import type { LedgerRules } from '../../billing/ledger-rules.ts'
import type { LedgerAccount, LedgerBalance } from '../../billing/ledger.ts'
import type { EpochMs } from '../../core/clock.ts'
import type {
  AmountColumn,
  LedgerBalanceRow,
  LedgerLegRow,
  LedgerPostingRow,
} from './ledger-tables.ts'
import type { ControlDatabase } from './tables.ts'

type Db = Kysely<ControlDatabase>

/** An entry as it is kept. */
export interface StoredEntry extends LedgerEntry {
  /** When it was written; not covered by the hash. */
  readonly recordedMs: EpochMs
}

const AMOUNT = /^(?:0|-?[1-9]\d*)$/

/** Reads an amount; undefined when the text is not what this store writes. */
export function readAmount(text: AmountColumn): bigint | undefined {
  return AMOUNT.test(text) ? BigInt(text) : undefined
}

/** A balance as it is kept; undefined in place of an amount that cannot be read. */
export type HeldBalance = Omit<LedgerBalance, 'amount'> & { readonly amount: bigint | undefined }

/** Reads what accounts hold, by account; one that never held anything is absent. */
export async function readBalances(
  db: Db,
  accountIds: readonly string[],
): Promise<ReadonlyMap<string, readonly HeldBalance[]>> {
  const rows = await db
    .selectFrom('ledger_balances')
    .selectAll()
    .where('account_id', 'in', accountIds)
    .execute()
  const held = new Map<string, HeldBalance[]>()
  for (const row of rows) {
    const own = held.get(row.account_id) ?? []
    own.push({
      unit: row.unit,
      ledgerAccount: row.ledger_account as LedgerAccount,
      amount: readAmount(row.amount),
    })
    held.set(row.account_id, own)
  }
  for (const own of held.values()) own.sort(compareBalances)
  return held
}

// Ordered here, because collations differ between databases.
function compareBalances(a: Omit<LedgerBalance, 'amount'>, b: typeof a): number {
  const [first, second] = [a, b].map(({ unit, ledgerAccount }) => `${unit} ${ledgerAccount}`)
  return (first ?? '') < (second ?? '') ? -1 : 1
}

/** Reads entries of one account with a sequence above `afterSequence`, ascending. */
export async function readEntries(
  db: Db,
  rules: LedgerRules,
  accountId: string,
  page: { readonly afterSequence: number; readonly limit: number },
): Promise<StoredEntry[]> {
  const postings = await db
    .selectFrom('ledger_postings')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('sequence', '>', page.afterSequence)
    .orderBy('sequence')
    .limit(page.limit)
    .execute()
  const first = postings[0]
  const last = postings.at(-1)
  if (first === undefined || last === undefined) return []
  const legs = await db
    .selectFrom('ledger_legs')
    .selectAll()
    .where('account_id', '=', accountId)
    .where('sequence', '>=', first.sequence)
    .where('sequence', '<=', last.sequence)
    .execute()
  const bySequence = new Map<number, LedgerLegRow[]>()
  for (const leg of legs) {
    const own = bySequence.get(leg.sequence) ?? []
    own.push(leg)
    bySequence.set(leg.sequence, own)
  }
  return postings.map((row) => fromRow(row, bySequence.get(row.sequence) ?? [], rules))
}

function fromRow(
  row: LedgerPostingRow,
  legs: readonly LedgerLegRow[],
  rules: LedgerRules,
): StoredEntry {
  return {
    posting: {
      key: row.key,
      accountId: row.account_id,
      atMs: row.at_ms,
      unit: rules.parseUnit(row.unit),
      description: row.description,
      legs: legs
        .map((leg) => ({
          ledgerAccount: leg.ledger_account as LedgerAccount,
          // No leg is zero: one that somebody made unreadable breaks the chain here.
          amount: readAmount(leg.amount) ?? 0n,
        }))
        .sort((a, b) => (a.ledgerAccount < b.ledgerAccount ? -1 : 1)),
    },
    sequence: row.sequence,
    previousHash: row.previous_hash,
    hash: row.hash,
    recordedMs: row.recorded_ms,
  }
}

/** Makes the row of an entry. */
export function toPostingRow(
  { posting, sequence, previousHash, hash }: LedgerEntry,
  recordedMs: EpochMs,
  rules: LedgerRules,
): LedgerPostingRow {
  return {
    account_id: posting.accountId,
    sequence,
    key: posting.key,
    unit: rules.formatUnit(posting.unit),
    at_ms: posting.atMs,
    description: posting.description,
    previous_hash: previousHash,
    hash,
    recorded_ms: recordedMs,
  }
}

/** Makes the rows of an entry's legs. */
export function toLegRows({ posting, sequence }: LedgerEntry): LedgerLegRow[] {
  return posting.legs.map(({ ledgerAccount, amount }) => ({
    account_id: posting.accountId,
    sequence,
    ledger_account: ledgerAccount,
    amount: String(amount),
  }))
}

/** Makes the row of a balance. */
export function toBalanceRow(accountId: string, balance: LedgerBalance): LedgerBalanceRow {
  return {
    account_id: accountId,
    unit: balance.unit,
    ledger_account: balance.ledgerAccount,
    amount: String(balance.amount),
  }
}

import type { Kysely, Transaction } from 'kysely'
import type { BrokenLink, LedgerHead } from '../../billing/ledger-chain.ts'
import type { LedgerRules } from '../../billing/ledger-rules.ts'
import type { LedgerTotals } from '../../billing/ledger.ts'
import { readBalances, readEntries } from './ledger-rows.ts'
import type { ControlDatabase } from './tables.ts'

/** One thing that was compared, and by how much it is off. */
export interface LedgerFinding {
  readonly check: string
  readonly expected: bigint
  readonly actual: bigint
}

/** What an audit of the ledger looked at and what it found wrong. */
export interface LedgerAudit {
  /** Comparisons made. */
  readonly checks: number
  readonly findings: readonly LedgerFinding[]
}

/** What the entries of one account say. */
interface Walk {
  readonly entries: number
  /** Entries that sum to zero. */
  readonly balanced: number
  readonly broken: BrokenLink | null
  readonly last: LedgerHead
  readonly totals: LedgerTotals
}

const PAGE = 1000

/**
 * Walks the chain of every account and adds up its balances again.
 *
 * Posting may go on meanwhile: each account is read as it was at one moment.
 * Limits: whoever can rewrite a whole chain, its head and its balances is found only by a hash that
 * was kept elsewhere, such as in a bill.
 */
export async function auditLedger(
  db: Kysely<ControlDatabase>,
  rules: LedgerRules,
): Promise<LedgerAudit> {
  const heads = await db
    .selectFrom('ledger_heads')
    .select('account_id')
    .orderBy('account_id')
    .execute()
  let checks = 0
  const findings: LedgerFinding[] = []
  for (const { account_id: accountId } of heads) {
    const results = await db
      .transaction()
      .setIsolationLevel('repeatable read')
      .execute((trx) => auditAccount(trx, rules, accountId))
    checks += results.length
    findings.push(...results.filter(({ expected, actual }) => expected !== actual))
  }
  return { checks, findings }
}

async function auditAccount(
  trx: Transaction<ControlDatabase>,
  rules: LedgerRules,
  accountId: string,
): Promise<LedgerFinding[]> {
  const head = await trx
    .selectFrom('ledger_heads')
    .select(['sequence', 'hash'])
    .where('account_id', '=', accountId)
    .executeTakeFirstOrThrow()
  const walk = await walkEntries(trx, rules, accountId)
  const kept = (await readBalances(trx, [accountId])).get(accountId) ?? []
  const name = `ledger of account ${accountId}`
  const { entries, balanced, broken, last, totals } = walk
  const readable = kept.flatMap(({ amount, ...place }) =>
    amount === undefined ? [] : [{ ...place, amount }],
  )
  return [
    {
      check: `${name}: every entry follows from the one before`,
      expected: BigInt(entries),
      actual: BigInt(broken === null ? entries : broken.sequence - 1),
    },
    {
      check: `${name}: the last entry is the one that was recorded last`,
      expected: BigInt(head.sequence),
      // No entry has this sequence: the right place with a wrong hash is a finding, too.
      actual: head.hash === last.hash ? BigInt(last.sequence) : -1n,
    },
    {
      check: `${name}: every entry sums to zero`,
      expected: BigInt(entries),
      actual: BigInt(balanced),
    },
    {
      check: `${name}: each ledger account has a balance`,
      expected: BigInt(totals.size),
      actual: BigInt(readable.length),
    },
    ...compareBalances(name, rules, totals, rules.totalsOf(readable)),
  ]
}

function compareBalances(
  name: string,
  rules: LedgerRules,
  summed: LedgerTotals,
  kept: LedgerTotals,
): LedgerFinding[] {
  const keys = [...new Set([...summed.keys(), ...kept.keys()])].sort()
  return keys.flatMap((key) => {
    const balance = summed.get(key)
    return [
      {
        check: `${name}: balance of ${key} equals its entries`,
        expected: balance?.amount ?? 0n,
        actual: kept.get(key)?.amount ?? 0n,
      },
      {
        check: `${name}: missing from ${key}`,
        expected: 0n,
        actual: balance === undefined ? 0n : rules.overdrawnBy(balance),
      },
    ]
  })
}

async function walkEntries(
  trx: Transaction<ControlDatabase>,
  rules: LedgerRules,
  accountId: string,
): Promise<Walk> {
  const totals = rules.totalsOf([])
  let broken: BrokenLink | null = null
  let last = rules.emptyHead
  let entries = 0
  let balanced = 0
  // From below the first, so that an entry slipped in before it is seen.
  let afterSequence = Number.MIN_SAFE_INTEGER
  for (;;) {
    const page = await readEntries(trx, rules, accountId, { afterSequence, limit: PAGE })
    const tail = page.at(-1)
    if (tail === undefined) return { entries, balanced, broken, last, totals }
    broken ??= rules.verifyChain(page, last)
    for (const { posting } of page) {
      rules.addLegs(totals, posting)
      if (posting.legs.reduce((sum, leg) => sum + leg.amount, 0n) === 0n) balanced += 1
    }
    entries += page.length
    last = { sequence: tail.sequence, hash: tail.hash }
    afterSequence = tail.sequence
  }
}

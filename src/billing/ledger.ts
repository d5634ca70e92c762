/**
 * The double-entry ledger of package bytes and of money: what a posting is and what it may do.
 *
 * Amounts are signed, positive for debit and negative for credit, so that the legs of a posting sum
 * to zero. A ledger account has a nature, the side on which it grows; the balance that people speak
 * of is counted on that side: 7 bytes of arrears are kept as -7.
 */
import type { EpochMs } from '../core/clock.ts'
import { assert } from '../core/errors.ts'

/** What a posting counts: bytes, or billionths of a unit of a currency (ISO 4217 code). */
export type LedgerUnit = 'bytes' | { readonly currency: string }

/** How a ledger account behaves. */
export interface LedgerAccountRule {
  /** The side on which it grows: `debit` with positive amounts, `credit` with negative ones. */
  readonly nature: 'debit' | 'credit'
  /** Whether its balance, counted on its own side, may fall below zero. */
  readonly mayBeNegative: boolean
}

const DEBIT: LedgerAccountRule = { nature: 'debit', mayBeNegative: false }
const CREDIT: LedgerAccountRule = { nature: 'credit', mayBeNegative: false }

/** The ledger accounts in bytes; bytes bought = in packages + used + expired + given back. */
export const BYTE_ACCOUNTS = {
  /** What is left of one package; always with its id. */
  package: DEBIT,
  /** What was used, out of packages or not. */
  usage: DEBIT,
  /** What was left of packages when they ended. */
  expired: DEBIT,
  /** What was left of packages that were given back. */
  refund: DEBIT,
  /** What was bought: packages, and orders that settle arrears. */
  purchased: CREDIT,
  /** What was used and neither drawn from a package nor settled: the only debt in bytes. */
  arrears: CREDIT,
} as const

/** The ledger accounts in money. */
export const MONEY_ACCOUNTS = {
  /** What was billed. Below zero when credits exceed the bills that this ledger knows. */
  receivable: { nature: 'debit', mayBeNegative: true },
  /** What was earned. Below zero when corrections exceed the bills that this ledger knows. */
  revenue: { nature: 'credit', mayBeNegative: true },
  /** What was given back of it. */
  refund: DEBIT,
} as const

type PlainKind = Exclude<keyof typeof BYTE_ACCOUNTS, 'package'> | keyof typeof MONEY_ACCOUNTS

/**
 * Name of a ledger account, such as `package:pkg-1`, `usage` or `arrears:abroad`. Each kind may be
 * divided by a subject behind a colon; a package always is.
 */
export type LedgerAccount = `package:${string}` | PlainKind | `${PlainKind}:${string}`

/** One side of a posting. */
export interface Leg {
  readonly ledgerAccount: LedgerAccount
  /** Positive: debit; negative: credit; never zero. */
  readonly amount: bigint
}

/** One entry of the ledger: what moved between the ledger accounts of one account. */
export interface Posting {
  /** Names it once and for all: posting it again under this key changes nothing. */
  readonly key: string
  readonly accountId: string
  /** When it takes effect, which may be long before it is recorded. */
  readonly atMs: EpochMs
  readonly unit: LedgerUnit
  /** Why it was made, as a code such as `day-close`. */
  readonly description: string
  /** At least two, one per ledger account, summing to zero; their order means nothing. */
  readonly legs: readonly Leg[]
}

/** What a ledger account holds. */
export interface LedgerBalance {
  /** As `formatUnit` writes it. */
  readonly unit: string
  readonly ledgerAccount: LedgerAccount
  /** Sum of its legs: positive on the debit side, negative on the credit side. */
  readonly amount: bigint
}

/** Balances of one account by unit and ledger account. */
export type LedgerTotals = Map<string, LedgerBalance>

const CURRENCY = /^[A-Z]{3}$/
// What both databases keep as it is and order alike.
const IDENTIFIER = /^[\x21-\x7e]{1,200}$/
const DESCRIPTION = /^[a-z][a-z0-9-]{0,63}$/
const LEDGER_ACCOUNT = /^([a-z]+)(?::[\w.-]{1,100})?$/

/** Names a unit in one word: `bytes`, or the code of the currency. */
export function formatUnit(unit: LedgerUnit): string {
  return unit === 'bytes' ? unit : unit.currency
}

/** Reads what `formatUnit` wrote. Errors: none; what is no currency is found by `assertPosting`. */
export function parseUnit(text: string): LedgerUnit {
  return text === 'bytes' ? text : { currency: text }
}

/**
 * Stops on a posting that must never reach the books.
 *
 * Errors: an assertion, since postings are made by rules and not by callers.
 */
export function assertPosting(posting: Posting): void {
  const { key, accountId, atMs, unit, description, legs } = posting
  assert(IDENTIFIER.test(key), 'the key of a posting is 1 to 200 visible ASCII characters')
  const subject = `posting ${key}`
  assert(IDENTIFIER.test(accountId), `${subject}: the account id is 1 to 200 visible characters`)
  assert(Number.isSafeInteger(atMs), `${subject}: ${atMs} is no instant`)
  assert(
    unit === 'bytes' || CURRENCY.test(unit.currency),
    `${subject}: ${formatUnit(unit)} is neither bytes nor a currency code`,
  )
  assert(DESCRIPTION.test(description), `${subject}: ${description} is no description code`)
  assert(legs.length >= 2, `${subject}: a posting has at least two legs`)
  const names = new Set<string>(legs.map((leg) => leg.ledgerAccount))
  assert(names.size === legs.length, `${subject}: two legs have one ledger account`)
  for (const { ledgerAccount, amount } of legs) {
    assert(amount !== 0n, `${subject}: the leg of ${ledgerAccount} is zero`)
    assert(
      ruleOf(formatUnit(unit), ledgerAccount) !== undefined,
      `${subject}: ${ledgerAccount} is no ledger account in ${formatUnit(unit)}`,
    )
  }
  const sum = legs.reduce((total, leg) => total + leg.amount, 0n)
  assert(sum === 0n, `${subject}: the legs sum to ${sum}, not to zero`)
}

function ruleOf(unit: string, ledgerAccount: string): LedgerAccountRule | undefined {
  const rules: Readonly<Record<string, LedgerAccountRule>> =
    unit === 'bytes' ? BYTE_ACCOUNTS : MONEY_ACCOUNTS
  const kind = LEDGER_ACCOUNT.exec(ledgerAccount)?.[1] ?? ''
  if (!Object.hasOwn(rules, kind)) return undefined
  return kind === 'package' && ledgerAccount === kind ? undefined : rules[kind]
}

/**
 * Says how far a balance is below what its ledger account may hold; 0 when it is not.
 *
 * Errors: none; a ledger account that does not exist has no rule to break.
 */
export function overdrawnBy({ unit, ledgerAccount, amount }: LedgerBalance): bigint {
  const rule = ruleOf(unit, ledgerAccount)
  if (rule === undefined || rule.mayBeNegative) return 0n
  const balance = rule.nature === 'debit' ? amount : -amount
  return balance < 0n ? -balance : 0n
}

/** Gathers balances so that legs can be added to them. */
export function totalsOf(balances: Iterable<LedgerBalance>): LedgerTotals {
  return new Map([...balances].map((balance) => [totalKey(balance), balance]))
}

function totalKey({ unit, ledgerAccount }: Omit<LedgerBalance, 'amount'>): string {
  return `${unit} ${ledgerAccount}`
}

/** Adds the legs of a posting to the totals and returns the balances that moved. */
export function addLegs(
  totals: LedgerTotals,
  { unit, legs }: Pick<Posting, 'unit' | 'legs'>,
): LedgerBalance[] {
  return legs.map(({ ledgerAccount, amount }) => {
    const place = { unit: formatUnit(unit), ledgerAccount }
    const before = totals.get(totalKey(place))?.amount ?? 0n
    const after = { ...place, amount: before + amount }
    totals.set(totalKey(place), after)
    return after
  })
}

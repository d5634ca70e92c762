import { describe, expect, test } from 'vitest'
import { EMPTY_HEAD, verifyChain } from './ledger-chain.ts'
import { type LedgerPlan, type LedgerState, planPostings } from './ledger-plan.ts'
import type { LedgerAccount, Posting } from './ledger.ts'

const EMPTY: LedgerState = { head: EMPTY_HEAD, balances: [], posted: new Map() }

function bytes(key: string, ...legs: [LedgerAccount, bigint][]): Posting {
  return {
    key,
    accountId: 'acc-1',
    atMs: 1_775_001_600_000,
    unit: 'bytes',
    description: 'test',
    legs: legs.map(([ledgerAccount, amount]) => ({ ledgerAccount, amount })),
  }
}

const buy = (key: string, amount: bigint) =>
  bytes(key, ['package:p', amount], ['purchased', -amount])
const draw = (key: string, amount: bigint) => bytes(key, ['package:p', -amount], ['usage', amount])
const owe = (key: string, amount: bigint) => bytes(key, ['arrears', -amount], ['usage', amount])
const absorb = (key: string, amount: bigint) =>
  bytes(key, ['package:p', -amount], ['arrears', amount])

function stateAfter(plan: LedgerPlan): LedgerState {
  const posted = new Map(plan.entries.map((entry) => [entry.posting.key, entry]))
  return { head: plan.head, balances: plan.balances, posted }
}

describe('planning', () => {
  // 10 bought, 7 drawn: 3 left. 9 used without a package: 9 owed. A package of 20 makes 23, absorbs
  // the 9 and leaves 14. Used: 7 + 9 = 16; bought: 30 = 14 + 16.
  test('carries arrears until a later package absorbs them', () => {
    const plan = planPostings('acc-1', EMPTY, [
      buy('a', 10n),
      draw('b', 7n),
      owe('c', 9n),
      buy('d', 20n),
      absorb('e', 9n),
    ])
    expect(Object.fromEntries(plan.balances.map((b) => [b.ledgerAccount, b.amount]))).toEqual({
      'package:p': 14n,
      purchased: -30n,
      usage: 16n,
      arrears: 0n,
    })
    expect(plan.receipts.map(({ key, sequence }) => [key, sequence])).toEqual([
      ['a', 1],
      ['b', 2],
      ['c', 3],
      ['d', 4],
      ['e', 5],
    ])
    expect(verifyChain(plan.entries)).toBeNull()
    expect(plan.head).toEqual({ sequence: 5, hash: plan.entries[4]?.hash })
  })

  test('goes on where the account stands', () => {
    const first = planPostings('acc-1', EMPTY, [buy('a', 10n)])
    const second = planPostings('acc-1', stateAfter(first), [draw('b', 10n)])
    expect(second.entries.map((entry) => entry.sequence)).toEqual([2])
    expect(verifyChain([...first.entries, ...second.entries])).toBeNull()
    expect(second.balances).toContainEqual({
      unit: 'bytes',
      ledgerAccount: 'package:p',
      amount: 0n,
    })
  })

  test('a key that is posted changes nothing, within one call and later', () => {
    const turned = { ...buy('a', 10n), legs: buy('a', 10n).legs.toReversed() }
    const first = planPostings('acc-1', EMPTY, [buy('a', 10n), turned])
    expect(first.receipts.map((receipt) => receipt.isNew)).toEqual([true, false])
    expect(first.entries).toHaveLength(1)
    const again = planPostings('acc-1', stateAfter(first), [buy('a', 10n)])
    expect(again).toMatchObject({ entries: [], balances: [], head: first.head })
    expect(again.receipts).toEqual([{ ...first.receipts[0], isNew: false }])
  })

  test.each<[string, Partial<Posting>]>([
    ['amount', { legs: buy('a', 11n).legs }],
    ['instant', { atMs: 0 }],
    ['description', { description: 'other' }],
    ['ledger account', { legs: owe('a', 10n).legs }],
  ])('a key that is posted with another %s is a conflict', (_title, change) => {
    const postings = [buy('a', 10n), { ...buy('a', 10n), ...change }]
    const expected = expect.objectContaining({ code: 'conflict', field: 'key' })
    expect(() => planPostings('acc-1', EMPTY, postings)).toThrow(expected)
  })

  test.each<[string, Posting, string, string]>([
    ['a package', draw('b', 17n), 'package:p', '7 bytes are missing'],
    ['arrears nobody has', absorb('b', 4n), 'arrears', '4 bytes are missing'],
  ])('refuses to overdraw %s, naming it and what is missing', (_title, posting, field, text) => {
    const expected = expect.objectContaining({
      code: 'conflict',
      field,
      message: expect.stringContaining(text),
    })
    expect(() => planPostings('acc-1', EMPTY, [buy('a', 10n), posting])).toThrow(expected)
  })

  test('money that is missing is said in the currency', () => {
    const posting: Posting = {
      ...buy('a', 1n),
      unit: { currency: 'CNY' },
      legs: [
        { ledgerAccount: 'refund', amount: -1_500_000_000n },
        { ledgerAccount: 'receivable', amount: 1_500_000_000n },
      ],
    }
    expect(() => planPostings('acc-1', EMPTY, [posting])).toThrow(/1\.50 CNY is missing/)
  })

  // At no moment may more be drawn than is there: a purchase that comes later does not help.
  test('the order within one call decides', () => {
    expect(() => planPostings('acc-1', EMPTY, [draw('b', 5n), buy('a', 10n)])).toThrow(/package:p/)
  })

  test('a posting of another account is our mistake', () => {
    expect(() => planPostings('acc-2', EMPTY, [buy('a', 10n)])).toThrow(/not of account acc-2/)
  })
})

import { describe, expect, test } from 'vitest'
import {
  addLegs,
  assertPosting,
  BYTE_ACCOUNTS,
  formatUnit,
  type LedgerAccount,
  MONEY_ACCOUNTS,
  overdrawnBy,
  parseUnit,
  type Posting,
  totalsOf,
} from './ledger.ts'

const SOUND: Posting = {
  key: 'close:2026-04-01:eip-1',
  accountId: 'acc-1',
  atMs: 1_775_001_600_000,
  unit: 'bytes',
  description: 'day-close',
  legs: [
    { ledgerAccount: 'package:pkg-1', amount: -7n },
    { ledgerAccount: 'arrears:abroad', amount: -2n },
    { ledgerAccount: 'usage', amount: 9n },
  ],
}
const legs = (...list: [string, bigint][]): Pick<Posting, 'legs'> => ({
  legs: list.map(([name, amount]) => ({ ledgerAccount: name as LedgerAccount, amount })),
})

describe('a posting', () => {
  test('that is sound may reach the books', () => {
    expect(() => assertPosting(SOUND)).not.toThrow()
    const money = legs(['receivable', 5n], ['revenue:cdn', -5n])
    expect(() => assertPosting({ ...SOUND, ...money, unit: { currency: 'USD' } })).not.toThrow()
  })

  test.each<[string, Partial<Posting>, RegExp]>([
    ['legs that do not sum to zero', legs(['usage', 9n], ['arrears', -8n]), /sum to 1/],
    ['one leg', legs(['usage', 9n]), /at least two/],
    ['no leg', { legs: [] }, /at least two/],
    ['a leg of zero', legs(['usage', 9n], ['arrears', -9n], ['expired', 0n]), /is zero/],
    ['a ledger account twice', legs(['usage', 9n], ['arrears', -4n], ['arrears', -5n]), /two legs/],
    ['a ledger account nobody declared', legs(['usage', 9n], ['gift', -9n]), /gift is no ledger/],
    ['a package without its id', legs(['usage', 9n], ['package', -9n]), /package is no ledger/],
    ['an empty subject', legs(['usage', 9n], ['package:', -9n]), /package: is no ledger/],
    ['money accounts in bytes', legs(['receivable', 9n], ['revenue', -9n]), /in bytes/],
    ['byte accounts in money', { unit: { currency: 'CNY' } }, /in CNY/],
    ['an inherited name', legs(['usage', 9n], ['constructor', -9n]), /constructor is no ledger/],
    ['a unit that is no currency', { unit: { currency: 'yuan' } }, /yuan is neither/],
    ['an empty key', { key: '' }, /the key/],
    ['a key that a database may alter', { key: 'a\u0000b' }, /the key/],
    ['an account without a name', { accountId: '' }, /account id/],
    ['half a millisecond', { atMs: 0.5 }, /no instant/],
    ['prose for a description', { description: 'Day closed' }, /no description code/],
  ])('with %s never reaches the books', (_title, change, reason) => {
    expect(() => assertPosting({ ...SOUND, ...change })).toThrow(reason)
  })
})

// Signed as kept: debit positive, credit negative. Each row: what is just allowed or not, by 1.
test.each<[string, LedgerAccount, bigint, bigint]>([
  ['bytes', 'package:pkg-1', 0n, 0n],
  ['bytes', 'package:pkg-1', -1n, 1n],
  ['bytes', 'usage', -1n, 1n],
  ['bytes', 'expired', -1n, 1n],
  ['bytes', 'refund', -1n, 1n],
  ['bytes', 'purchased', -5n, 0n],
  ['bytes', 'purchased', 1n, 1n],
  ['bytes', 'arrears', -5n, 0n],
  ['bytes', 'arrears:abroad', 3n, 3n],
  ['CNY', 'receivable', -5n, 0n],
  ['CNY', 'revenue', 5n, 0n],
  ['CNY', 'refund', -1n, 1n],
])('in %s, %s at %d is overdrawn by %d', (unit, ledgerAccount, amount, missing) => {
  expect(overdrawnBy({ unit, ledgerAccount, amount })).toBe(missing)
})

test('only receivables and revenue may fall below zero on their own side', () => {
  const free = Object.entries({ ...BYTE_ACCOUNTS, ...MONEY_ACCOUNTS }).filter(
    ([, rule]) => rule.mayBeNegative,
  )
  expect(free.map(([name]) => name)).toEqual(['receivable', 'revenue'])
})

test('balances are kept apart by unit and by ledger account', () => {
  const totals = totalsOf([{ unit: 'CNY', ledgerAccount: 'refund', amount: 1n }])
  const moved = addLegs(totals, { unit: 'bytes', ...legs(['refund', 5n], ['package:a', -5n]) })
  expect(moved).toEqual([
    { unit: 'bytes', ledgerAccount: 'refund', amount: 5n },
    { unit: 'bytes', ledgerAccount: 'package:a', amount: -5n },
  ])
  expect([...totals.values()]).toEqual([
    { unit: 'CNY', ledgerAccount: 'refund', amount: 1n },
    ...moved,
  ])
})

test('a unit reads back as it was written', () => {
  expect(parseUnit(formatUnit('bytes'))).toBe('bytes')
  expect(parseUnit(formatUnit({ currency: 'CNY' }))).toEqual({ currency: 'CNY' })
})

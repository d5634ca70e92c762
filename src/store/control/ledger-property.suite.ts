import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { verifyChain } from '../../billing/ledger-chain.ts'
import { formatUnit, type LedgerAccount, type Posting } from '../../billing/ledger.ts'
import { bytesPosting, type World } from './ledger-world.suite.ts'

const BYTE_NAMES = ['package:p', 'package:q', 'usage', 'arrears', 'expired', 'purchased'] as const
const MONEY_NAMES = ['receivable', 'revenue', 'refund'] as const
/** The side on which a balance must stay, written down once more. */
const SIGNS: Record<string, bigint> = { purchased: -1n, arrears: -1n, receivable: 0n, revenue: 0n }

const arbitraryMove = fc.record({
  inMoney: fc.boolean(),
  from: fc.nat(5),
  to: fc.nat(5),
  amount: fc.bigInt({ min: 1n, max: 12n }),
  key: fc.nat(30),
})

type Move = typeof arbitraryMove extends fc.Arbitrary<infer T> ? T : never

function postingOf(move: Move, accountId: string): Posting | null {
  const names: readonly LedgerAccount[] = move.inMoney ? MONEY_NAMES : BYTE_NAMES
  const from = names[move.from % names.length] ?? 'usage'
  const to = names[move.to % names.length] ?? 'usage'
  if (from === to) return null
  const legs: [LedgerAccount, bigint][] = [
    [from, -move.amount],
    [to, move.amount],
  ]
  const posting = { ...bytesPosting(`k-${move.key}`, ...legs), accountId }
  return move.inMoney ? { ...posting, unit: { currency: 'CNY' } } : posting
}

/** The slow way: adds everything up from the start to see whether a posting is allowed. */
function isAllowed(accepted: readonly Posting[], next: Posting): boolean {
  const isRepeat = accepted.some((posting) => posting.key === next.key)
  if (isRepeat) return accepted.some((posting) => textOf(posting) === textOf(next))
  return next.legs.every(({ ledgerAccount }) => {
    const sum = sumOf([...accepted, next], formatUnit(next.unit), ledgerAccount)
    return sum * (SIGNS[ledgerAccount] ?? 1n) >= 0n
  })
}

function textOf({ key, legs, unit }: Posting): string {
  return [key, formatUnit(unit), ...legs.map((leg) => `${leg.ledgerAccount} ${leg.amount}`)].join()
}

function sumOf(postings: readonly Posting[], unit: string, ledgerAccount: string): bigint {
  const legs = postings
    .filter((posting) => formatUnit(posting.unit) === unit)
    .flatMap((posting) => posting.legs)
    .filter((leg) => leg.ledgerAccount === ledgerAccount)
  return legs.reduce((sum, leg) => sum + leg.amount, 0n)
}

/** What holds of a ledger whatever is posted. */
export function propertyTests(world: () => World): void {
  test('whatever is posted: units sum to zero and balances equal their legs', async () => {
    const { ledger } = world()
    let run = 0
    const check = async (moves: readonly Move[]) => {
      run += 1
      const accountId = `acc-run-${run}`
      const accepted: Posting[] = []
      for (const move of moves) {
        const posting = postingOf(move, accountId)
        if (posting === null) continue
        const isPosted = await ledger.post([posting]).then(
          () => true,
          (error: unknown) => {
            expect(error).toMatchObject({ code: 'conflict' })
            return false
          },
        )
        expect(isPosted).toBe(isAllowed(accepted, posting))
        const isNew = accepted.every((earlier) => earlier.key !== posting.key)
        if (isPosted && isNew) accepted.push(posting)
      }
      const balances = await ledger.balances(accountId)
      for (const { unit, ledgerAccount, amount } of balances) {
        expect(amount).toBe(sumOf(accepted, unit, ledgerAccount))
      }
      for (const unit of ['bytes', 'CNY']) {
        const own = balances.filter((balance) => balance.unit === unit)
        expect(own.reduce((sum, balance) => sum + balance.amount, 0n)).toBe(0n)
      }
      const entries = await ledger.entries(accountId, { limit: 1000 })
      expect(entries.map(({ posting }) => posting.key)).toEqual(accepted.map(({ key }) => key))
      expect(verifyChain(entries)).toBeNull()
    }
    const moves = fc.array(arbitraryMove, { minLength: 5, maxLength: 25 })
    await fc.assert(fc.asyncProperty(moves, check), { numRuns: 30 })
    expect((await ledger.audit()).findings).toEqual([])
  })
}

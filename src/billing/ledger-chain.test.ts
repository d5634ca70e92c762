import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  EMPTY_HEAD,
  formatPosting,
  hashPosting,
  type LedgerEntry,
  linkPosting,
  verifyChain,
} from './ledger-chain.ts'
import type { Posting } from './ledger.ts'

// 2026-04-01T00:00:00Z; 1,000 bytes are bought. The legs stand in the other order than in the text.
const PURCHASE: Posting = {
  key: 'buy:pkg-1',
  accountId: 'acc-1',
  atMs: 1_775_001_600_000,
  unit: 'bytes',
  description: 'purchase',
  legs: [
    { ledgerAccount: 'purchased', amount: -1000n },
    { ledgerAccount: 'package:pkg-1', amount: 1000n },
  ],
}
// 2026-05-01T00:00:00Z; 20,000,000,000.000000001 CNY, which is beyond 64 bits in billionths.
const BILL: Posting = {
  key: 'bill:2026-04',
  accountId: 'acc-1',
  atMs: 1_777_593_600_000,
  unit: { currency: 'CNY' },
  description: 'bill',
  legs: [
    { ledgerAccount: 'receivable', amount: 20_000_000_000_000_000_001n },
    { ledgerAccount: 'revenue', amount: -20_000_000_000_000_000_001n },
  ],
}
const PURCHASE_TEXT =
  '{"format":1,"account":"acc-1","key":"buy:pkg-1","atMs":1775001600000,"unit":"bytes","description":"purchase","legs":[["package:pkg-1","1000"],["purchased","-1000"]]}'
const BILL_TEXT =
  '{"format":1,"account":"acc-1","key":"bill:2026-04","atMs":1777593600000,"unit":"CNY","description":"bill","legs":[["receivable","20000000000000000001"],["revenue","-20000000000000000001"]]}'

// The hashes come from a shell: printf '%s' "$PREVIOUS$TEXT" | sha256sum, the first PREVIOUS
// being 64 zeros.
const PURCHASE_HASH = '9fe0293774dda7f9b33d8e38263d278dac3c27dafef7f6bf7f46b1ee8338268c'
const BILL_HASH = 'e768b76d48305d39df48811ecca211cfc102a45c113fafba5ba5e362da2d6d35'

describe('the hashed form of a posting', () => {
  test.each([
    ['in bytes', PURCHASE, PURCHASE_TEXT],
    ['in money', BILL, BILL_TEXT],
  ])('never changes: %s', (_title, posting, text) => {
    expect(formatPosting(posting)).toBe(text)
  })

  test('hashes to what any other SHA-256 makes of it', () => {
    expect(hashPosting(EMPTY_HEAD.hash, PURCHASE)).toBe(PURCHASE_HASH)
    expect(hashPosting(PURCHASE_HASH, BILL)).toBe(BILL_HASH)
  })

  test('is the same for any order of the legs', () => {
    const turned = { ...PURCHASE, legs: PURCHASE.legs.toReversed() }
    expect(formatPosting(turned)).toBe(PURCHASE_TEXT)
  })
})

function chainOf(count: number): LedgerEntry[] {
  const entries: LedgerEntry[] = []
  for (let index = 0; index < count; index += 1) {
    const posting = { ...PURCHASE, key: `key-${index}` }
    entries.push(linkPosting(entries.at(-1) ?? EMPTY_HEAD, posting))
  }
  return entries
}

describe('a chain', () => {
  test('holds from its first entry, and from any page of it', () => {
    const entries = chainOf(5)
    expect(entries.map((entry) => entry.sequence)).toEqual([1, 2, 3, 4, 5])
    expect(verifyChain(entries)).toBeNull()
    expect(verifyChain(entries.slice(2), entries[1])).toBeNull()
    expect(verifyChain([])).toBeNull()
  })

  test('an entry that is missing, doubled or moved is the first broken link', () => {
    const [a, b, c] = chainOf(3) as [LedgerEntry, LedgerEntry, LedgerEntry]
    expect(verifyChain([a, c])).toEqual({ sequence: 2, reason: 'sequence' })
    expect(verifyChain([b, c])).toEqual({ sequence: 1, reason: 'sequence' })
    expect(verifyChain([a, a, b])).toEqual({ sequence: 2, reason: 'sequence' })
    expect(verifyChain([b, a, c])).toEqual({ sequence: 1, reason: 'sequence' })
  })

  test('an entry that was replaced together with its hash breaks the one after it', () => {
    const [a, b, c] = chainOf(3) as [LedgerEntry, LedgerEntry, LedgerEntry]
    const forged = linkPosting(a, { ...b.posting, description: 'gift' })
    expect(verifyChain([a, forged, c])).toEqual({ sequence: 3, reason: 'previous-hash' })
  })

  const changes: Record<string, (posting: Posting) => Posting> = {
    key: (posting) => ({ ...posting, key: 'other' }),
    accountId: (posting) => ({ ...posting, accountId: 'acc-2' }),
    atMs: (posting) => ({ ...posting, atMs: posting.atMs + 1 }),
    unit: (posting) => ({ ...posting, unit: { currency: 'CNY' } }),
    description: (posting) => ({ ...posting, description: 'gift' }),
    'an amount': (posting) => ({
      ...posting,
      legs: posting.legs.map((leg) => ({ ...leg, amount: leg.amount * 2n })),
    }),
    'a ledger account': (posting) => ({
      ...posting,
      legs: posting.legs.map((leg) =>
        leg.amount < 0n ? { ...leg, ledgerAccount: 'arrears' } : leg,
      ),
    }),
    'a leg fewer': ({ legs, ...posting }) => ({ ...posting, legs: legs.slice(1) }),
  }
  test.each(Object.entries(changes))('notices a change of %s in any entry', (_name, change) => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 7 }), (index) => {
        const entries = chainOf(8).map((entry, at) =>
          at === index ? { ...entry, posting: change(entry.posting) } : entry,
        )
        expect(verifyChain(entries)).toEqual({ sequence: index + 1, reason: 'hash' })
      }),
    )
  })
})

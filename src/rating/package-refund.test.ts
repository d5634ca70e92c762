import { expect, test } from 'vitest'
import { AppError } from '../core/errors.ts'
import { NANO } from '../core/money.ts'
import { refundPackage } from './package-refund.ts'
import type { PackageValidity, PrepaidPackage } from './package-terms.ts'

const DAY = 86_400_000

function pack(validity: PackageValidity): PrepaidPackage {
  const scope = { areas: null, kinds: null, projectIds: null, resourceIds: null, windows: [] }
  return { ...scope, id: 'pkg-a', sizeBytes: 100n, purchasedMs: 0, startMs: 0, validity }
}

function refund(validity: PackageValidity, usedBytes: bigint, nowMs: number) {
  const balance = {
    packageId: 'pkg-a',
    usedBytes,
    remainingBytes: 100n - usedBytes,
    firstUseMs: usedBytes > 0n ? 0 : null,
  }
  return refundPackage(pack(validity), balance, 7n * NANO, nowMs, 'UTC')
}

/** The refusal of a refund: code and text. */
function refusal(validity: PackageValidity, usedBytes: bigint, nowMs: number) {
  try {
    refund(validity, usedBytes, nowMs)
  } catch (error) {
    if (error instanceof AppError) return { code: error.code, text: error.message }
    throw error
  }
  return 'refunded'
}

const FULL = { packageId: 'pkg-a', bytes: 100n, amount: 7n * NANO }

test.each<[string, PackageValidity, number]>([
  ['until its last millisecond', { type: 'from-purchase', endMs: DAY }, DAY - 1],
  ['at any time when it never ends', { type: 'unlimited' }, 9000 * DAY],
  ['before its first use, which never came', { type: 'from-first-use', spanMs: 1 }, 9000 * DAY],
])('an unused package is refunded in full %s', (_title, validity, nowMs) => {
  expect(refund(validity, 0n, nowMs)).toEqual(FULL)
})

test('one byte drawn refuses a refund and says so', () => {
  expect(refusal({ type: 'unlimited' }, 1n, 0)).toEqual({
    code: 'conflict',
    text:
      'Package pkg-a cannot be refunded: 1 bytes were drawn from it. ' +
      'Only unused packages are refunded.',
  })
})

test('an ended package is not refunded, and the refusal names the end', () => {
  expect(refusal({ type: 'from-purchase', endMs: DAY }, 0n, DAY)).toEqual({
    code: 'conflict',
    text:
      'Package pkg-a cannot be refunded: it ended at 1970-01-02T00:00:00.000Z. ' +
      'Only packages that are still valid are refunded.',
  })
})

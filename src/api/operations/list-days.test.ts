import { expect, test } from 'vitest'
import type { ClosedDayEntry } from '../../billing/bill-desk.ts'
import { NOTHING_MEASURED } from '../../billing/close-month.ts'
import { listDays } from './list-days.ts'

/** Midnight of a day of November in Shanghai. */
const midnight = (day: number): number => Date.UTC(2026, 10, day - 1, 16)

function closed(day: number, state: ClosedDayEntry['state'], amounts: readonly string[]) {
  return {
    accountId: 'acc-a1',
    meter: 'cdn' as const,
    startMs: midnight(day),
    endMs: midnight(day + 1),
    state,
    hash: `hash-${day}`,
    packName: 'ucloud-cdn',
    lines: amounts.map((amount) => ({ amount, currency: 'CNY' }) as ClosedDayEntry['lines'][0]),
    draws: [],
    proof: NOTHING_MEASURED,
    coverage: null,
  }
}

/** `day state amount` of each day, as of an instant; the book began on the 2nd. */
async function days(nowMs: number, month?: string): Promise<string[]> {
  const kept = [closed(2, 'closed', ['1.5', '0.25']), closed(3, 'adjusted', [])]
  const answer = await listDays(
    { account: 'acc-a1', ...(month !== undefined && { month }) },
    {
      desk: { days: async () => kept.filter(({ endMs }) => endMs <= nowMs) },
      balance: async () => ({ closedUntilMs: midnight(4) }),
      payer: async (id) => ({ id, zone: 'Asia/Shanghai' }),
      clock: { nowMs: () => nowMs },
    },
  )
  const { items } = answer as {
    items: { start: string; state: string; amounts?: { amount: string }[] }[]
  }
  return items.map(({ start, state, amounts }) => {
    const day = new Date(Date.parse(start) + 8 * 3_600_000).getUTCDate()
    return `${day} ${state} ${amounts?.map(({ amount }) => amount).join(' ') ?? '-'}`
  })
}

test('a day is open until it is over, settling until it is closed, and nothing before the book', async () => {
  expect(await days(midnight(5) - 1)).toEqual(['2 closed 1.75', '3 adjusted ', '4 open -'])
  expect(await days(midnight(5))).toEqual(['2 closed 1.75', '3 adjusted ', '4 settling -'])
  expect(await days(midnight(5) + 1)).toEqual([
    '2 closed 1.75',
    '3 adjusted ',
    '4 settling -',
    '5 open -',
  ])
})

test('without a month it is the current one, by the clock of the account', async () => {
  expect(await days(midnight(1) - 1)).toEqual([])
  expect(await days(midnight(5))).toEqual(await days(midnight(5), '2026-11'))
})

test('a month that has not begun has no days, and what is no month is an error', async () => {
  expect(await days(midnight(5), '2026-12')).toEqual([])
  await expect(days(midnight(5), '2026-13')).rejects.toMatchObject({ code: 'parameter_invalid' })
})

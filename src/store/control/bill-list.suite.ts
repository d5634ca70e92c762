import { beforeEach, describe, expect, test } from 'vitest'
import type { BillFilter } from '../../billing/bill-desk.ts'
import type { MeterName } from '../../meters/meter.ts'
import {
  at,
  beginBook,
  billStep,
  type BooksWorld,
  dayStep,
  takeStep,
} from './book-store-world.suite.ts'

// By code unit a dash comes before a dot, and a dot before digits and letters.
const IDS = ['acc-a', 'acc-a-b', 'acc-a.b', 'acc-b']

/** Writes the bills of the months that end in 2026, one after the other, without their days. */
async function fillBills({ books }: BooksWorld): Promise<void> {
  const keys: [string, MeterName][] = IDS.map((id) => [id, 'cdn'])
  for (const [accountId, meter] of [...keys, ['acc-a', 'eip'] as [string, MeterName]]) {
    let book = await beginBook(books, at('2026-09-01T00:00'), { accountId, meter })
    book = await takeStep(books, dayStep(book))
    for (let month = 9; month <= 11; month += 1) {
      book = await takeStep(books, billStep(book, `${month}.00`))
    }
  }
}

/** Lists of bills. */
export function billListTests(world: () => BooksWorld): void {
  describe('lists of bills', () => {
    beforeEach(() => fillBills(world()))

    async function listAll(filter: BillFilter, limit: number): Promise<string[]> {
      const seen: string[] = []
      let cursor: string | null = null
      do {
        const page = await world().books.listBills(filter, { limit, cursor })
        expect(page.items.length).toBeLessThanOrEqual(limit)
        expect(page.items.length === limit || page.nextCursor === null).toBe(true)
        seen.push(...page.items.map(({ id }) => id))
        // A cursor that leads nowhere would go on for ever.
        expect(seen.length).toBeLessThanOrEqual(15)
        cursor = page.nextCursor
      } while (cursor !== null)
      return seen
    }

    const ofMonth = (month: string): string[] => [
      `acc-a.cdn.${month}`,
      `acc-a.eip.${month}`,
      ...IDS.slice(1).map((id) => `${id}.cdn.${month}`),
    ]
    const ALL = ['2026-11', '2026-10', '2026-09'].flatMap(ofMonth)

    test.each([1, 2, 4, 7, 15, 16])(
      'pages of %d hold every bill once, the newest month first, then by account and meter',
      async (limit) => {
        expect(await listAll({}, limit)).toEqual(ALL)
      },
    )
    test('a list can be narrowed to an account, a meter, a month, and to all of these', async () => {
      const of = (part: string) => ALL.filter((id) => id.includes(part))
      expect(await listAll({ month: '2026-10' }, 2)).toEqual(of('2026-10'))
      expect(await listAll({ meter: 'eip' }, 2)).toEqual(of('.eip.'))
      expect(await listAll({ accountId: 'acc-a' }, 2)).toEqual(
        [...of('acc-a.cdn'), ...of('eip')].sort((a, b) => ALL.indexOf(a) - ALL.indexOf(b)),
      )
      const one = { accountId: 'acc-a.b', meter: 'cdn', month: '2026-09' } as const
      expect(await listAll(one, 2)).toEqual(['acc-a.b.cdn.2026-09'])
      expect(await listAll({ ...one, meter: 'mna' }, 2)).toEqual([])
    })
    test('a list shows what the summary of each bill says', async () => {
      const { books } = world()
      const stored = await books.bill('acc-b.cdn.2026-10')
      const page = await books.listBills(
        { accountId: 'acc-b', month: '2026-10' },
        { limit: 5, cursor: null },
      )
      expect(page).toEqual({
        items: [
          {
            id: 'acc-b.cdn.2026-10',
            accountId: 'acc-b',
            meter: 'cdn',
            month: '2026-10',
            totals: [{ currency: 'CNY', amount: '10.00' }],
            lines: 0,
            hash: stored?.hash,
            closedMs: 7,
          },
        ],
        nextCursor: null,
      })
    })
    const code = (text: string) => Buffer.from(text).toString('base64url')
    test.each([
      '',
      'x',
      `${code('["2026-10","acc-a","cdn"]')}=`,
      code('["2026-10","acc-a","cdn"] '),
      code('["2026-10","acc-a"]'),
      code('["2026-1","acc-a","cdn"]'),
      code('["2026-10","acc a","cdn"]'),
      code('["2026-10","acc-a","CDN"]'),
      code('["2026-10","a\' or 1=1","cdn"]'),
      code('[1,"acc-a"]'),
    ])('cursor %j that nobody gave out is refused', async (cursor) => {
      await expect(world().books.listBills({}, { limit: 1, cursor })).rejects.toMatchObject({
        code: 'parameter_invalid',
        field: 'cursor',
      })
    })
  })
}

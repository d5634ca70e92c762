import { expect, test } from 'vitest'
import type { BookStep } from '../../billing/book-keeping.ts'
import { parseAdjustment, parseDay } from '../../billing/day-record.ts'
import { addDays, DAY_MS } from '../../core/period.ts'
import {
  adjustmentStep,
  at,
  beginBook,
  billStep,
  type BooksWorld,
  dayStep,
  takeStep,
} from './book-store-world.suite.ts'

const OCT_30 = at('2026-10-30T00:00')
const NOV_1 = at('2026-11-01T00:00')
const ZONE = 'Asia/Shanghai'

/** Two days and a bill of October, two days of November, and adjustments between them. */
async function fillBook({ books }: BooksWorld, accountId = 'acc-a') {
  let book = await beginBook(books, OCT_30, { accountId })
  const texts: BookStep['text'][] = []
  const take = async (step: BookStep) => {
    texts.push(step.text)
    book = await takeStep(books, step)
  }
  await take(dayStep(book))
  await take(dayStep(book))
  await take(adjustmentStep(book, addDays(OCT_30, 1, ZONE), 5))
  await take(billStep(book))
  await take(dayStep(book))
  await take(adjustmentStep(book, OCT_30, 6))
  await take(adjustmentStep(book, addDays(OCT_30, 1, ZONE), 6))
  await take(dayStep(book))
  return { book, texts }
}

/** What is read of records that are kept. */
export function recordTests(world: () => BooksWorld): void {
  test('days are read as they were kept, from the first of the interval to before its end', async () => {
    const { books } = world()
    await fillBook(world(), 'acc-b')
    const { book, texts } = await fillBook(world())
    const read = async (startMs: number, endMs: number) => {
      const days = await books.dayRecords(book, { startMs, endMs })
      return days.map(({ sequence, record }) => [sequence, record.date])
    }
    expect(await read(0, Number.MAX_SAFE_INTEGER)).toEqual([
      [1, '2026-10-30'],
      [2, '2026-10-31'],
      [5, '2026-11-01'],
      [8, '2026-11-02'],
    ])
    expect(await read(OCT_30 + 1, NOV_1)).toEqual([[2, '2026-10-31']])
    expect(await read(OCT_30, NOV_1 + 1)).toHaveLength(3)
    expect(await read(NOV_1 + 1, NOV_1 + DAY_MS)).toEqual([])
    const [, kept] = await books.dayRecords(book, { startMs: OCT_30, endMs: NOV_1 })
    expect(kept).toEqual({
      sequence: 2,
      ...texts[1],
      previous: texts[0]?.hash,
      record: parseDay(texts[1]?.content ?? ''),
    })
    const other = { accountId: 'acc-a', meter: 'eip' } as const
    expect(await books.dayRecords(other, { startMs: 0, endMs: NOV_1 })).toEqual([])
  })
  test('adjustments are found by the day that they change, in the order in which they were made', async () => {
    const { books } = world()
    const { book, texts } = await fillBook(world())
    const read = async (startMs: number, endMs: number) => {
      const found = await books.adjustments(book, { startMs, endMs })
      return found.map(({ sequence, record }) => [sequence, record.id])
    }
    const all = [
      [3, 'acc-a.cdn.2026-10-31.5'],
      [6, 'acc-a.cdn.2026-10-30.6'],
      [7, 'acc-a.cdn.2026-10-31.6'],
    ]
    expect(await read(OCT_30, NOV_1)).toEqual(all)
    expect(await read(OCT_30 + 1, NOV_1)).toEqual([all[0], all[2]])
    expect(await read(OCT_30, OCT_30 + DAY_MS)).toEqual([all[1]])
    expect(await read(NOV_1, NOV_1 + DAY_MS)).toEqual([])
    const [kept] = await books.adjustments(book, { startMs: OCT_30, endMs: NOV_1 })
    expect(kept).toMatchObject({
      ...texts[2],
      previous: texts[1]?.hash,
      record: parseAdjustment(texts[2]?.content ?? ''),
    })
  })
  test('a bill carries the adjustments made since the one before, whatever day they change', async () => {
    const { books } = world()
    const { book } = await fillBook(world())
    const read = async (month: string) =>
      (await books.adjustmentsBooked(book, month)).map(({ sequence }) => sequence)
    expect(await read('2026-10')).toEqual([3])
    expect(await read('2026-11')).toEqual([6, 7])
    expect(await read('2026-12')).toEqual([])
  })
  test('a month of many books is what is read of it book by book', async () => {
    const { books } = world()
    const ids = ['acc-a', 'acc-b', 'acc-c']
    for (const id of ids) await fillBook(world(), id)
    await beginBook(books, OCT_30, { accountId: 'acc-d' })
    const october = { startMs: at('2026-10-01T00:00'), endMs: NOV_1 }
    const november = { startMs: NOV_1, endMs: at('2026-12-01T00:00') }
    const asked = ['acc-b', 'acc-a', 'acc-d', 'acc-z']
    for (const [interval, month, before] of [
      [october, '2026-10', '2026-09'],
      [november, '2026-11', '2026-10'],
    ] as const) {
      const found = await books.keptMonths('cdn', asked, { interval, month, before })
      expect([...found.keys()].sort()).toEqual(['acc-a', 'acc-b'])
      for (const accountId of ['acc-a', 'acc-b']) {
        const key = { accountId, meter: 'cdn' as const }
        expect(found.get(accountId)).toEqual({
          days: await books.dayRecords(key, interval),
          adjustments: await books.adjustments(key, interval),
          booked: await books.adjustmentsBooked(key, month),
          previous: (await books.billOf(key, before))?.hash ?? null,
        })
      }
    }
    expect(
      (await books.keptMonths('eip', asked, { interval: october, month: '2026-10', before: '' }))
        .size,
    ).toBe(0)
    expect(
      (await books.keptMonths('cdn', [], { interval: october, month: '2026-10', before: '' })).size,
    ).toBe(0)
  })
  test('the same late usage is never adjusted twice', async () => {
    const { books } = world()
    const { book } = await fillBook(world())
    await expect(books.take([adjustmentStep(book, OCT_30, 6)])).rejects.toThrow(/unique/i)
    expect(await books.books('cdn', ['acc-a'])).toEqual([book])
  })
  test('a bill is found by its id and by its book and month, as it was kept', async () => {
    const { books } = world()
    const { book, texts } = await fillBook(world())
    const stored = await books.bill('acc-a.cdn.2026-10')
    expect(stored).toMatchObject({ sequence: 4, ...texts[3], previous: texts[2]?.hash })
    expect(stored?.bill).toEqual(JSON.parse(texts[3]?.content ?? ''))
    expect(stored?.bill).toBe(stored?.record)
    expect(await books.billOf(book, '2026-10')).toEqual(stored)
    expect(await books.billOf(book, '2026-11')).toBeUndefined()
    expect(await books.billOf({ ...book, meter: 'eip' }, '2026-10')).toBeUndefined()
  })
  test('ids of accounts with dots and dashes, and what is no id of a bill', async () => {
    const { books } = world()
    for (const accountId of ['acc-a.cdn.2026-10', 'acc.b-c_d']) {
      await fillBook(world(), accountId)
      const found = await books.bill(`${accountId}.cdn.2026-10`)
      expect(found?.bill.account.id).toBe(accountId)
    }
    const strange = [
      '',
      'acc-a.cdn.2026-10',
      'acc.b-c_d.cdn.2026-11',
      'acc.b-c_d.cdn.2026-1',
      'acc.b-c_d.CDN.2026-10',
      '.cdn.2026-10',
      "x' or '1'='1.cdn.2026-10",
    ]
    for (const id of strange) expect([id, await books.bill(id)]).toEqual([id, undefined])
  })
}

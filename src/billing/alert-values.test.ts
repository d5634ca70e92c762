import { describe, expect, test } from 'vitest'
import { parseMoney } from '../core/money.ts'
import { DAY_MS, FIVE_MINUTES_MS, type Interval } from '../core/period.ts'
import type { AlertWatch, PackageChoice } from './alert.ts'
import { formatQuantity } from './alert-quantity.ts'
import type { AlertReading } from './alert-rules.ts'
import { type AlertScope, type AlertSlot, meanDays, readWatch } from './alert-values.ts'
import type { BookBalance, PackageNow } from './balance.ts'

const ZONE = 'Asia/Shanghai'
/** 2026-11-21 08:32 in Shanghai. */
const AS_OF = Date.UTC(2026, 10, 21, 0, 32)
const MIDNIGHT = Date.UTC(2026, 10, 20, 16)
const OLD = Date.UTC(2026, 0, 1)

function pack(
  id: string,
  left: bigint,
  size: bigint,
  terms: Partial<PackageNow['package']> & { readonly endMs?: number } = {},
): PackageNow {
  const { endMs = null, ...rest } = terms
  return {
    package: {
      id,
      sizeBytes: size,
      areas: ['cn'],
      kinds: ['static'],
      projectIds: null,
      resourceIds: null,
      windows: [],
      purchasedMs: OLD,
      startMs: OLD,
      validity: { type: 'unlimited' },
      ...rest,
    },
    usedBytes: size - left,
    leftBytes: left,
    endMs,
  }
}

function balance(packages: readonly PackageNow[]): BookBalance {
  return {
    accountId: 'acc-1',
    meter: 'cdn',
    zone: ZONE,
    asOfMs: AS_OF,
    closedUntilMs: MIDNIGHT,
    month: { startMs: Date.UTC(2026, 9, 31, 16), endMs: Date.UTC(2026, 10, 30, 16) },
    packages,
    exclusive: [],
    arrearsBytes: 0n,
    monthToDate: [{ currency: 'CNY', amount: parseMoney('1234.567', 'amount') }],
    pack: 'ucloud-cdn',
  }
}

interface Asked {
  days?: readonly Interval[]
  scope?: AlertScope
  interval?: Interval
}

async function read(
  watch: AlertWatch,
  packages: readonly PackageNow[],
  usage: {
    readonly daily?: readonly bigint[]
    readonly slots?: readonly AlertSlot[]
    readonly accountMs?: number
  } = {},
): Promise<{ value: string | null; reading: AlertReading | null; asked: Asked }> {
  const asked: Asked = {}
  const reading = await readWatch(watch, balance(packages), usage.accountMs ?? OLD, {
    dailyBytes: async (_key, days, scope) => {
      Object.assign(asked, { days, scope })
      return usage.daily ?? []
    },
    slots: async (_key, interval) => {
      asked.interval = interval
      return usage.slots ?? []
    },
  })
  return { value: reading && formatQuantity(watch, reading.value), reading, asked }
}

const ANY: PackageChoice = { packageId: null, area: null, kind: null }

describe('percent left', () => {
  const packages = [
    pack('p-cn', 5n, 100n),
    pack('p-abroad', 45n, 100n, { areas: ['abroad'], startMs: OLD + 5 }),
    pack('p-both', 30n, 40n, { areas: null, kinds: ['dynamic'] }),
    pack('p-latam', 12n, 60n, { areas: ['latam'] }),
    pack('p-ended', 100n, 100n, { endMs: AS_OF }),
    pack('p-later', 100n, 100n, { startMs: AS_OF + 1 }),
  ]
  test.each<[string, Partial<PackageChoice>, string | null]>([
    // (5 + 45 + 30 + 12) ÷ (100 + 100 + 40 + 60) = 92 ÷ 300
    ['all valid ones count together', {}, '30.66'],
    // (5 + 30) ÷ 140
    ['of one area, packages for any area count, too', { area: 'cn' }, '25.00'],
    ['of one area and kind', { area: 'cn', kind: 'static' }, '5.00'],
    // (45 + 30 + 12) ÷ (100 + 40 + 60), and (45 + 30) ÷ 140: latam is not apac1.
    ['of abroad, packages for its regions count, too', { area: 'abroad' }, '43.50'],
    ['of a region, packages for all abroad count, too', { area: 'apac1' }, '53.57'],
    ['of the other region, its own counts', { area: 'latam' }, '43.50'],
    ['a single one', { packageId: 'p-abroad' }, '45.00'],
    ['a single one that ended cannot be measured', { packageId: 'p-ended' }, null],
    ['a single one that has not begun cannot be measured', { packageId: 'p-later' }, null],
    ['a single one that is gone cannot be measured', { packageId: 'p-x' }, null],
  ])('%s', async (_title, choice, expected) => {
    const { value } = await read({ type: 'percent-left', ...ANY, ...choice }, packages)
    expect(value).toBe(expected)
  })

  test('without any valid package nothing is left', async () => {
    const found = await read({ type: 'percent-left', ...ANY }, [])
    expect(found).toMatchObject({ value: '0.00', reading: { periodMs: null } })
  })

  test('a refilling volume counts within its reset period, which starts anew', async () => {
    const volume = {
      id: 'utp-1',
      resourceId: 'eip-1',
      sizeBytes: 200n,
      resetPolicy: 'Month',
      createdMs: OLD,
    } as const
    const period = { startMs: MIDNIGHT - 3 * DAY_MS, endMs: MIDNIGHT + 27 * DAY_MS }
    const watch: AlertWatch = { type: 'percent-left', ...ANY, packageId: 'utp-1' }
    const used = (usedBytes: bigint) =>
      readWatch(watch, { ...balance([]), exclusive: [{ volume, period, usedBytes }] }, OLD, {
        dailyBytes: async () => [],
        slots: async () => [],
      })
    // 50 of 200 are left; of 300 used, 100 are beyond it.
    expect(await used(150n)).toMatchObject({
      value: { numerator: 5000n, denominator: 200n },
      periodMs: period.startMs,
    })
    expect(await used(300n)).toMatchObject({ value: { numerator: 0n } })
  })

  test('the period is the begin of the newest valid package', async () => {
    const { reading } = await read({ type: 'percent-left', ...ANY }, packages)
    expect(reading?.periodMs).toBe(OLD + 5)
  })
})

describe('days left', () => {
  const watch: AlertWatch = { type: 'days-left', ...ANY }
  test('is what is left ÷ the mean of the last ten whole local days', async () => {
    // 10 + 20 + … + 100 = 550, a mean of 55 a day; 165 bytes last exactly 3 days.
    const daily = Array.from({ length: 10 }, (_, index) => BigInt(10 * (index + 1)))
    const { value, asked } = await read(watch, [pack('p', 165n, 1000n)], { daily })
    expect(value).toBe('3.00')
    expect(asked.days).toHaveLength(10)
    expect(asked.days?.at(0)?.startMs).toBe(MIDNIGHT - 10 * DAY_MS)
    // Today is not whole and does not count.
    expect(asked.days?.at(-1)?.endMs).toBe(MIDNIGHT)
  })
  test('of a young account is averaged over the days that it had', async () => {
    // Made four local days ago at noon: three whole days, 30 bytes, 10 a day.
    const accountMs = MIDNIGHT - 4 * DAY_MS + DAY_MS / 2
    const usage = { daily: [10n, 10n, 10n], accountMs }
    const { value, asked } = await read(watch, [pack('p', 25n, 100n)], usage)
    expect(value).toBe('2.50')
    expect(asked.days).toHaveLength(3)
  })
  test('of an account made today cannot be measured', async () => {
    const { reading } = await read(watch, [pack('p', 25n, 100n)], { accountMs: MIDNIGHT + 1 })
    expect(reading).toBeNull()
  })
  test('has no end where nothing was used, and none where nothing is left', async () => {
    expect((await read(watch, [pack('p', 5n, 10n)], { daily: [0n] })).value).toBeNull()
    expect((await read(watch, [pack('p', 0n, 10n)], { daily: [0n] })).value).toBe('0.00')
  })
  test('looks at the usage that the chosen packages may pay for', async () => {
    const packages = [pack('p', 5n, 10n, { projectIds: ['org-1'] })]
    const one = await read({ ...watch, packageId: 'p' }, packages, { daily: [1n] })
    expect(one.asked.scope).toEqual({
      areas: ['cn'],
      kinds: ['static'],
      projectIds: ['org-1'],
      resourceIds: null,
    })
    const pool = await read({ ...watch, area: 'cn' }, packages, { daily: [1n] })
    expect(pool.asked.scope).toEqual({
      areas: ['cn'],
      kinds: null,
      projectIds: null,
      resourceIds: null,
    })
  })
  test('counts local days through a change of the clocks', () => {
    // New York went back on 1 November 2026: that day had 25 hours.
    const days = meanDays(Date.UTC(2026, 10, 5, 15), 'America/New_York', OLD)
    expect(days).toHaveLength(10)
    const hours = days.map(({ startMs, endMs }) => (endMs - startMs) / 3_600_000)
    expect(hours).toEqual([24, 24, 24, 24, 24, 24, 25, 24, 24, 24])
  })
})

describe('amount', () => {
  test('is the month to date in the currency, exactly, and 0 in another', async () => {
    const cny = await read({ type: 'amount', currency: 'CNY' }, [])
    expect(cny.value).toBe('1234.567')
    expect(cny.reading?.periodMs).toBe(Date.UTC(2026, 9, 31, 16))
    expect((await read({ type: 'amount', currency: 'USD' }, [])).value).toBe('0.00')
  })
})

describe('bandwidth', () => {
  const slot = (startMs: number, inBytes: bigint, outBytes: bigint) => ({
    startMs,
    inBytes,
    outBytes,
  })
  const SLOT: AlertWatch = { type: 'bandwidth', direction: 'out', of: 'slot' }
  /** Minutes past 08:00 of slots, each with what went out; it is 08:32. */
  const out = (slots: Readonly<Record<number, bigint>>) =>
    Object.entries(slots).map(([minute, bytes]) =>
      slot(Date.UTC(2026, 10, 21, 0, Number(minute)), 3n * bytes, bytes),
    )
  test.each<[string, Record<number, bigint>, string]>([
    // 37,500,000 bytes × 8 ÷ 300 s = 1 Mbit/s.
    ['that of the last whole five minutes', { 20: 1n, 25: 37_500_000n, 30: 100n }, '1000000'],
    ['that of the slot under way once it is higher', { 25: 300n, 30: 600n }, '16'],
    // Logs are ten minutes late: of 08:20 not all is there yet, of 08:15 it is.
    ['that of the last slot with later usage, however late it comes', { 15: 600n, 20: 75n }, '16'],
    ['not held by older slots', { 15: 900n, 20: 75n, 25: 300n, 30: 0n }, '8'],
    ['0 where nothing was loaded of the last whole slot', { 20: 300n, 30: 0n }, '0'],
    // 08:32 less 30 minutes is 08:02, so that the slot before 08:00 counts as whole.
    ['that of a last slot after half an hour of silence', { '-5': 300n }, '8'],
    ['0 after more silence', { '-10': 300n }, '0'],
    ['0 of nothing', {}, '0'],
  ])('of a slot is %s', async (_title, slots, expected) => {
    const startMs = Date.UTC(2026, 10, 20, 23, 55)
    const given = out(slots).filter((each) => each.startMs >= startMs)
    const found = await read(SLOT, [], { slots: given })
    expect(found.value).toBe(expected)
    expect(found.asked.interval).toEqual({ startMs, endMs: Date.UTC(2026, 10, 21, 0, 35) })
  })
  test('is read in the direction that is watched', async () => {
    const slots = out({ 25: 100n, 30: 0n })
    expect((await read({ ...SLOT, direction: 'in' }, [], { slots })).value).toBe('8')
  })
  test('of the day is the highest since local midnight, anew each day', async () => {
    const slots = [1n, 9n, 4n].map((each, index) =>
      slot(MIDNIGHT + index * FIVE_MINUTES_MS, 0n, each * 300n),
    )
    const found = await read({ type: 'bandwidth', direction: 'out', of: 'day-peak' }, [], { slots })
    expect(found.value).toBe('72')
    expect(found.reading?.periodMs).toBe(MIDNIGHT)
    expect(found.asked.interval).toEqual({
      startMs: MIDNIGHT,
      endMs: Date.UTC(2026, 10, 21, 0, 35),
    })
  })
})

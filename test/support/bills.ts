import type {
  AdjustmentBillLine,
  BandwidthBillLine,
  Bill,
  BillLine,
  BillManifest,
  PackageBillLine,
  StoredBill,
  TrafficBillLine,
} from '../../src/billing/bill.ts'
import type { BillDesk, ClosedDayEntry, Verification } from '../../src/billing/bill-desk.ts'
import type { UsageProof } from '../../src/billing/book.ts'
import { AppError } from '../../src/core/errors.ts'
import { formatMoney, parseMoney, priceOf } from '../../src/core/money.ts'
import { GB, GIB } from '../../src/core/units.ts'
import { hashContent } from '../../src/rating/pack-hash.ts'

/** 2026-11-01 12:00 in Shanghai: when the bills of October were closed. */
export const CLOSED_MS = Date.UTC(2026, 10, 1, 4)

/** The customer of the hand-made bills. */
export const CUSTOMER = { id: 'acc-example', name: '北京示例网络有限公司', number: 50001 }

/** October 2026 in Shanghai. */
export const OCTOBER = { start: '2026-09-30T16:00:00.000Z', end: '2026-10-31T16:00:00.000Z' }

/** The local day of October 2026 in Shanghai. */
export function octoberDay(day: number): { start: string; end: string } {
  const at = (date: number): string => new Date(Date.UTC(2026, 9, date, -8)).toISOString()
  return { start: at(day), end: at(day + 1) }
}

/** A proof over the batches up to this one. */
export function proofThrough(throughBatch: number): UsageProof {
  return {
    throughBatch,
    firstBatch: 1,
    batches: throughBatch,
    rows: throughBatch * 100,
    hash: 'c0ffee00c0ffee00',
    geoVersions: ['ip2region-2.3.0'],
  }
}

/** A day's line of CDN traffic: ten percent of overhead, priced by GiB unless said otherwise. */
export function trafficLine(
  day: number,
  rawBytes: bigint,
  more: Partial<TrafficBillLine> = {},
): TrafficBillLine {
  const { price = '0.20', unit = 'GiB' } = more
  const billed = more.billedBytes === undefined ? (rawBytes * 11n) / 10n : BigInt(more.billedBytes)
  return {
    type: 'traffic',
    rule: 'static-cn',
    member: CUSTOMER.id,
    ...octoberDay(day),
    tier: 1,
    rawBytes: String(rawBytes),
    billedBytes: String(billed),
    unit,
    price,
    amount: formatMoney(priceOf(billed, parseMoney(price, 'price'), unit === 'GB' ? GB : GIB)),
    currency: 'CNY',
    ...more,
  }
}

/** A month's 95th percentile of 512.34 Mbps at 18 a Mbps: 9,222.12. */
export function bandwidthLine(more: Partial<BandwidthBillLine> = {}): BandwidthBillLine {
  return {
    type: 'bandwidth',
    rule: 'monthly-95',
    member: CUSTOMER.id,
    ...OCTOBER,
    mode: 'monthly-95',
    direction: 'out',
    bps: '512340000',
    commitBps: '100000000',
    billedBps: '512340000',
    slots: 8928,
    dropped: 446,
    validDays: 31,
    days: 31,
    samples: [{ time: '2026-10-17T12:35:00.000Z', bps: '512340000' }],
    unit: 'Mbps',
    price: '18.00',
    amount: '9222.12',
    currency: 'CNY',
    ...more,
  }
}

/** Late usage moved September's 95th from 480 to 500 Mbps: 20 Mbps × 18 = 360. */
export const ADJUSTMENT: AdjustmentBillLine = {
  type: 'adjustment',
  of: 'month',
  rule: 'monthly-95',
  member: CUSTOMER.id,
  start: '2026-08-31T16:00:00.000Z',
  end: '2026-09-30T16:00:00.000Z',
  before: bandwidthLine({
    start: '2026-08-31T16:00:00.000Z',
    end: '2026-09-30T16:00:00.000Z',
    bps: '480000000',
    billedBps: '480000000',
    slots: 8640,
    dropped: 432,
    validDays: 30,
    days: 30,
    samples: [{ time: '2026-09-12T13:00:00.000Z', bps: '480000000' }],
    amount: '8640.00',
  }),
  after: bandwidthLine({
    start: '2026-08-31T16:00:00.000Z',
    end: '2026-09-30T16:00:00.000Z',
    bps: '500000000',
    billedBps: '500000000',
    slots: 8640,
    dropped: 432,
    validDays: 30,
    days: 30,
    samples: [{ time: '2026-09-20T12:10:00.000Z', bps: '500000000' }],
    amount: '9000.00',
  }),
  amount: '360.00',
  currency: 'CNY',
}

/** A package bought in October, and one that was bought before and given back. */
export const PURCHASE: PackageBillLine = {
  type: 'package',
  event: 'purchase',
  packageId: 'pkg-oct10tib',
  sizeBytes: String(10n * 1024n * GIB),
  time: '2026-10-09T02:30:00.000Z',
  amount: '1180.00',
  currency: 'CNY',
}
export const REFUND: PackageBillLine = {
  type: 'package',
  event: 'refund',
  packageId: 'pkg-unused',
  sizeBytes: String(1024n * GIB),
  time: '2026-10-20T07:00:00.000Z',
  amount: '-150.00',
  currency: 'CNY',
}

/** Adds the amounts of lines up, currency by currency. */
export function totalsOf(lines: readonly BillLine[]): Bill['totals'] {
  const sums = new Map<string, bigint>()
  for (const { currency, amount } of lines) {
    sums.set(currency, (sums.get(currency) ?? 0n) + parseMoney(amount, 'amount'))
  }
  return [...sums]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([currency, sum]) => ({ currency, amount: formatMoney(sum) }))
}

function manifestOf(pack: string, more: Partial<BillManifest> = {}): BillManifest {
  return {
    days: Array.from({ length: 31 }, (_, index) => ({
      start: octoberDay(index + 1).start,
      hash: hashContent({ pack, day: index + 1 }),
      proof: proofThrough(index + 1),
      coverage: { expectedSlots: 288, receivedSlots: index === 2 ? 280 : 288, gaps: [] },
    })),
    adjustments: [],
    proof: proofThrough(31),
    coverage: {
      expectedSlots: 8928,
      receivedSlots: 8920,
      gaps: [
        {
          source: 'edge-logs',
          start: '2026-10-02T17:00:00.000Z',
          end: '2026-10-02T17:40:00.000Z',
        },
      ],
    },
    packs: [{ name: pack, version: '1', hash: hashContent(pack), ...OCTOBER, gapPolicy: {} }],
    zone: 'Asia/Shanghai',
    tzdata: '2026a',
    ledger: { sequence: 42, hash: hashContent('ledger') },
    previous: hashContent('september'),
    ...more,
  }
}

/** A bill of these lines with its hash. */
export function billOf(
  lines: readonly BillLine[],
  more: Partial<Omit<Bill, 'lines' | 'totals'>> = {},
): StoredBill {
  const meter = more.meter ?? 'cdn'
  const account = more.account ?? CUSTOMER
  const month = more.month ?? '2026-10'
  const bill: Bill = {
    format: 1,
    id: `${account.id}.${meter}.${month}`,
    account,
    meter,
    month,
    ...OCTOBER,
    zone: 'Asia/Shanghai',
    totals: totalsOf(lines),
    lines,
    draws: [],
    manifest: manifestOf('ucloud-cdn'),
    ...more,
  }
  return { bill, hash: hashContent(bill), closedMs: CLOSED_MS }
}

/** A month of CDN traffic: 31 days in three tiers' worth of rules, after two packages. */
export const CDN_BILL = billOf(
  Array.from({ length: 31 }, (_, index) => [
    trafficLine(index + 1, 300n * GIB + BigInt(index) * 7_777_777_777n),
    trafficLine(index + 1, 20n * GIB + BigInt(index) * 111_111_111n, {
      rule: 'static-abroad',
      price: '0.45',
    }),
  ]).flat(),
  {
    draws: [
      { packageId: 'pkg-2026a', bytes: String(5n * 1024n * GIB) },
      { packageId: 'pkg-2026b', bytes: '1234567890123' },
      { packageId: null, bytes: '10995116277760' },
    ],
  },
)

/** A month billed by its 95th percentile. */
export const BANDWIDTH_BILL = billOf([bandwidthLine()], {
  meter: 'eip',
  manifest: manifestOf('monthly-95', {
    packs: [
      {
        name: 'monthly-95',
        version: '1',
        hash: hashContent('monthly-95'),
        ...OCTOBER,
        gapPolicy: { 'monthly-95': 'zero' },
      },
    ],
  }),
})

/** Elastic IPs by the day: whole gigabytes, a day and an address a line. */
export const EIP_BILL = billOf(
  [1, 2, 3].flatMap((day) =>
    ['eip-4f9k2mq8', 'eip-b7x01ztt'].map((member) =>
      trafficLine(day, BigInt(day) * 5n * GB, {
        rule: 'eip-out',
        member,
        unit: 'GB',
        price: '0.80',
        billedBytes: String(BigInt(day) * 5n * GB),
      }),
    ),
  ),
  {
    meter: 'eip',
    month: '2026-09',
    account: { ...CUSTOMER, id: 'acc-eip', number: 50002 },
    exclusive: [
      {
        packageId: 'utp-4f9k2mq8',
        resourceId: 'eip-4f9k2mq8',
        sizeBytes: '10000000000',
        resetPolicy: 'Month',
        created: '2026-09-16T16:00:00.000Z',
        deleted: null,
        periods: [
          {
            start: '2026-09-16T16:00:00.000Z',
            end: '2026-10-16T16:00:00.000Z',
            usedBytes: '10000000000',
            coveredBytes: '7000000001',
            excessBytes: '23456789012',
          },
        ],
      },
      {
        packageId: 'utp-b7x01ztt',
        resourceId: 'eip-b7x01ztt',
        sizeBytes: '2000000000',
        resetPolicy: 'Day',
        created: '2026-09-30T02:20:05.000Z',
        deleted: '2026-10-02T09:31:00.000Z',
        periods: [],
      },
    ],
  },
)

/** A 95th month that also carries what late usage changed about the month before. */
export const ADJUSTED_BILL = billOf([bandwidthLine(), ADJUSTMENT], {
  meter: 'mna',
  manifest: manifestOf('monthly-95', {
    adjustments: [{ id: 'adj-1', hash: hashContent(ADJUSTMENT) }],
  }),
})

/** Packages that were bought and given back, and a currency that changed with the pack. */
export const MIXED_BILL = billOf(
  [
    trafficLine(1, 50n * GIB, { member: 'acc-mixed' }),
    trafficLine(2, 50n * GIB, {
      member: 'acc-mixed',
      price: '0.03',
      currency: 'USD',
      rule: 'flat-usd',
    }),
    PURCHASE,
    REFUND,
  ],
  { account: { id: 'acc-mixed', name: '=cmd|\'/C calc\'!A0, "Mixed"', number: 50003 } },
)

/** A month in which nothing moved and nothing was owed. */
export const EMPTY_BILL = billOf([], {
  account: { id: 'acc-idle', name: 'Idle Ltd', number: 50004 },
  manifest: manifestOf('ucloud-cdn', { coverage: null, previous: null }),
})

/** Every hand-made bill. */
export const BILLS: readonly StoredBill[] = [
  CDN_BILL,
  BANDWIDTH_BILL,
  EIP_BILL,
  ADJUSTED_BILL,
  MIXED_BILL,
  EMPTY_BILL,
]

/** Books that hold these bills; what was closed and what verifying finds is as it is told. */
export interface FakeBillDesk extends BillDesk {
  readonly closed: unknown[]
  readonly found: Verification['findings'][number][]
}

/** A desk over hand-made bills and days. */
export function fakeBillDesk(
  bills: readonly StoredBill[] = BILLS,
  days: readonly ClosedDayEntry[] = [],
): FakeBillDesk {
  const closed: unknown[] = []
  const found: Verification['findings'][number][] = []
  const sorted = [...bills].sort((a, b) =>
    a.bill.month === b.bill.month
      ? a.bill.id < b.bill.id
        ? -1
        : 1
      : a.bill.month > b.bill.month
        ? -1
        : 1,
  )
  const get = async (id: string) => sorted.find(({ bill }) => bill.id === id)
  return {
    closed,
    found,
    get,
    async list({ accountId, meter, month }, { limit, cursor }) {
      const fitting = sorted.filter(
        ({ bill }) =>
          (accountId ?? bill.account.id) === bill.account.id &&
          (meter ?? bill.meter) === bill.meter &&
          (month ?? bill.month) === bill.month,
      )
      const from = cursor === null ? 0 : Number(cursor)
      const items = fitting.slice(from, from + limit).map(summaryOf)
      return { items, nextCursor: from + limit < fitting.length ? String(from + limit) : null }
    },
    days: async ({ accountId, meter }, { startMs, endMs }) =>
      days.filter(
        (day) =>
          day.accountId === accountId &&
          day.meter === meter &&
          day.startMs >= startMs &&
          day.startMs < endMs,
      ),
    async verify(id) {
      if ((await get(id)) === undefined) throw new AppError('not_found', `There is no bill ${id}.`)
      return { id, checks: 34, findings: found }
    },
    async close(request) {
      closed.push(request)
      return { days: 31, adjustments: 1, bills: [CDN_BILL.bill.id], rebuilt: [], failed: [] }
    },
  }
}

function summaryOf({ bill, hash, closedMs }: StoredBill) {
  const { id, account, meter, month, totals, lines } = bill
  return { id, accountId: account.id, meter, month, totals, lines: lines.length, hash, closedMs }
}

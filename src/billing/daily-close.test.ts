import { describe, expect, test } from 'vitest'
import type { Account, Resource, ResourceVersion } from '../catalog/model.ts'
import { DAY_MS, HOUR_MS } from '../core/period.ts'
import { GIB } from '../core/units.ts'
import {
  closeSettledDays,
  payModeAt,
  settledDays,
  type DailyCloseDeps,
  type DayClosing,
} from './daily-close.ts'

const ZONE = 'Asia/Shanghai'
const DAY_1 = Date.parse('2026-11-01T00:00:00+08:00')
const SETTLE_MS = 12 * HOUR_MS

function version(fromMs: number, payMode: ResourceVersion['payMode']): ResourceVersion {
  return { resourceId: 'eip-1', fromMs, accountId: 'acc-1', projectId: 'project-1', payMode }
}

/** A world of one address, whose books are written as the store writes them: once. */
function world(options: {
  nowMs: number
  createdMs?: number
  deletedMs?: number
  versions?: readonly ResourceVersion[]
  bytes?: (startMs: number) => bigint
}) {
  const account: Account = {
    id: 'acc-1',
    number: 50_000_001,
    brandId: 'brand-1',
    parentId: null,
    name: 'a',
    email: '',
    zone: ZONE,
    createdMs: DAY_1,
  }
  const resource: Resource = {
    id: 'eip-1',
    meter: 'eip',
    accountId: 'acc-1',
    projectId: 'project-1',
    name: '203.0.113.1',
    region: 'hk',
    zone: 'hk-01',
    kind: 'static',
    gatewayType: 0,
    payMode: 'Traffic',
    createdMs: options.createdMs ?? DAY_1,
    deletedMs: options.deletedMs ?? null,
  }
  const books = new Map<number, DayClosing>()
  const state = { nowMs: options.nowMs, bytes: options.bytes ?? (() => 0n) }
  const deps: DailyCloseDeps = {
    clock: { nowMs: () => state.nowMs },
    resources: async () => {
      const closedUntilMs = Math.max(0, ...[...books.values()].map(({ endMs }) => endMs))
      return [{ resource, account, closedUntilMs: closedUntilMs === 0 ? null : closedUntilMs }]
    },
    versions: async () => options.versions ?? [version(0, 'Traffic')],
    outBytes: async (_id, days) => days.map(({ startMs }) => state.bytes(startMs)),
    record: async (days) => {
      for (const day of days) if (!books.has(day.startMs)) books.set(day.startMs, day)
    },
    log: { error: () => undefined },
  }
  const close = () => closeSettledDays({ settleMs: SETTLE_MS }, deps)
  return { state, books, close, quantities: () => [...books.values()].map((day) => day.quantityGb) }
}

describe('a day', () => {
  test('is open until its settling time is over, closed from that instant on', () => {
    const endMs = DAY_1 + DAY_MS + SETTLE_MS
    expect(settledDays(DAY_1, endMs - 1, ZONE, SETTLE_MS)).toEqual([])
    expect(settledDays(DAY_1, endMs, ZONE, SETTLE_MS)).toEqual([
      { startMs: DAY_1, endMs: DAY_1 + DAY_MS },
    ])
  })

  test('is the day of the account, however it falls in UTC', () => {
    const [first] = settledDays(DAY_1 + 5 * HOUR_MS, DAY_1 + 3 * DAY_MS, ZONE, SETTLE_MS)
    expect(new Date(first?.startMs ?? 0).toISOString()).toBe('2026-10-31T16:00:00.000Z')
  })

  test('is billed in whole GiB, rounded down', async () => {
    const bytes = (startMs: number) => (startMs === DAY_1 ? 3n * GIB - 1n : 3n * GIB)
    const { close, quantities } = world({ nowMs: DAY_1 + 2 * DAY_MS + SETTLE_MS, bytes })
    expect(await close()).toBe(2)
    expect(quantities()).toEqual([2n, 3n])
  })

  // Late usage must never change what a customer has already been billed.
  test('that is closed stays as it is, whatever comes late', async () => {
    const { state, close, quantities } = world({
      nowMs: DAY_1 + DAY_MS + SETTLE_MS,
      bytes: () => 5n * GIB,
    })
    await close()
    state.bytes = () => 9n * GIB
    expect(await close()).toBe(0)
    state.nowMs += DAY_MS
    expect(await close()).toBe(1)
    expect(quantities()).toEqual([5n, 9n])
  })

  test('after the end of the address has no row, its last day has one', async () => {
    const { books, close } = world({
      nowMs: DAY_1 + 10 * DAY_MS,
      deletedMs: DAY_1 + DAY_MS + HOUR_MS,
    })
    await close()
    expect([...books.keys()]).toEqual([DAY_1, DAY_1 + DAY_MS])
  })
})

test('a bandwidth-billed day closes with 0; the mode at its start decides the whole day', async () => {
  const versions = [version(DAY_1, 'Traffic'), version(DAY_1 + DAY_MS + HOUR_MS, 'Bandwidth')]
  const { close, quantities } = world({
    nowMs: DAY_1 + 3 * DAY_MS + SETTLE_MS,
    versions,
    bytes: () => 4n * GIB,
  })
  await close()
  expect(quantities()).toEqual([4n, 4n, 0n])
})

test.each([
  [DAY_1 - 1, 'Traffic'],
  [DAY_1, 'Traffic'],
  [DAY_1 + 9, 'Traffic'],
  [DAY_1 + 10, 'Bandwidth'],
])('at %d the pay mode is %s', (instantMs, mode) => {
  const versions = [version(DAY_1, 'Traffic'), version(DAY_1 + 10, 'Bandwidth')]
  expect(payModeAt(versions, instantMs)).toBe(mode)
})

import { expect, test } from 'vitest'
import { DAY_MS, HOUR_MS, MINUTE_MS, type Interval } from '../core/period.ts'
import type { CoverageDeps, SourceRecord } from './coverage-facts.ts'
import { createCoverageReader } from './coverage-reader.ts'

const START = Date.UTC(2026, 10, 20)
const DAY = { startMs: START, endMs: START + DAY_MS }
const NOON = START + DAY_MS + 12 * HOUR_MS

type SlotsQuery = Parameters<CoverageDeps['slots']['slots']>[0]
type SetsQuery = Parameters<CoverageDeps['slots']['sourceSets']>[0]

interface World {
  readonly records: SourceRecord[]
  readonly moved: Record<string, { firstMs: number; slots: Interval[] }>
  readonly sets: { sources: string[]; accountIds: string[] }[]
  /** Batches with usage of the day. */
  readonly late: number[]
  readonly asked: { known: number[]; slots: SlotsQuery[]; sets: SetsQuery[] }
}

function newWorld(): World {
  return { records: [], moved: {}, sets: [], late: [], asked: { known: [], slots: [], sets: [] } }
}

function readerOf(world: World) {
  return createCoverageReader({
    records: {
      async records(_interval, knownMs) {
        world.asked.known.push(knownMs)
        return world.records
      },
    },
    slots: {
      async slots(query) {
        world.asked.slots.push(query)
        if (query.meter !== 'cdn') return []
        return Object.entries(world.moved).map(([source, found]) => ({
          source,
          firstMs: Math.max(found.firstMs, query.sinceMs),
          slots: found.slots,
        }))
      },
      async sourceSets(query) {
        world.asked.sets.push(query)
        return query.meter === 'cdn' ? world.sets : []
      },
      async isAnyAfter({ afterBatch, throughBatch }) {
        return world.late.some((batch) => afterBatch < batch && batch <= throughBatch)
      },
    },
  })
}

function record(source: string, more: Partial<SourceRecord> = {}): SourceRecord {
  const due = [{ startMs: 0, endMs: DAY.endMs }]
  const rest = { firstMs: 0, beats: [], gaps: [], accountId: null, meters: null }
  return { source, due, ...rest, ...more }
}

const query = { meter: 'cdn', interval: DAY, throughBatch: 7, asOfMs: NOON } as const

test('each account has the sources that reported for it and those restricted to it', async () => {
  const world = newWorld()
  world.records.push(
    record('edge-1', { beats: [DAY] }),
    record('edge-2'),
    record('own', { accountId: 'acc-3', meters: ['cdn'] }),
    record('firewall', { accountId: 'acc-3', meters: ['eip'] }),
  )
  world.sets.push(
    { sources: ['by-hand', 'edge-1'], accountIds: ['acc-1', 'acc-2'] },
    { sources: ['edge-1', 'edge-2'], accountIds: ['acc-3'] },
  )
  const accountIds = ['acc-1', 'acc-2', 'acc-3', 'acc-4']
  const coverage = await readerOf(world).coverage({ ...query, accountIds })
  expect([...coverage.keys()]).toEqual(['acc-1', 'acc-2', 'acc-3'])
  expect(coverage.get('acc-1')).toEqual({ expectedSlots: 288, receivedSlots: 288, gaps: [] })
  // The same sources have the same sum, reckoned once.
  expect(coverage.get('acc-2')).toBe(coverage.get('acc-1'))
  expect(coverage.get('acc-3')).toMatchObject({ expectedSlots: 864, receivedSlots: 288 })
})

test('a day is one question to the control store and two to the engine, for all accounts', async () => {
  const world = newWorld()
  world.records.push(record('edge'))
  const accountIds = Array.from({ length: 10_000 }, (_, index) => `acc-${index}`)
  world.sets.push({ sources: ['edge'], accountIds })
  expect((await readerOf(world).coverage({ ...query, accountIds })).size).toBe(10_000)
  const { known, slots, sets } = world.asked
  expect([known, slots.length, sets.length]).toEqual([[NOON - 5 * MINUTE_MS], 1, 1])
  // Older records are of no use when every source began before the day.
  expect(slots[0]).toMatchObject({ sinceMs: DAY.startMs, throughBatch: 7 })
  expect(sets[0]?.interval).toEqual({ startMs: DAY.endMs - 35 * DAY_MS, endMs: DAY.endMs })
})

test('a source is expected from its first record, also when it beat only later', async () => {
  const world = newWorld()
  world.records.push(record('edge', { firstMs: START + 12 * HOUR_MS }))
  world.sets.push({ sources: ['edge'], accountIds: ['acc-1'] })
  world.moved['edge'] = { firstMs: START + 6 * HOUR_MS, slots: [] }
  const reader = readerOf(world)
  const coverage = await reader.coverage({ ...query, accountIds: ['acc-1'] })
  expect(coverage.get('acc-1')?.expectedSlots).toBe(18 * 12)
  expect(world.asked.slots[0]?.sinceMs).toBe(DAY.endMs - 35 * DAY_MS)
})

test('slots that are not over at the asked instant are not expected yet', async () => {
  const world = newWorld()
  world.records.push(record('edge', { beats: [DAY] }))
  const reader = readerOf(world)
  // 00:31, less the two minutes until all is known: five whole slots.
  const [covered] = await reader.sources({ interval: DAY, asOfMs: START + 31 * MINUTE_MS })
  expect(covered).toMatchObject({ expectedSlots: 5, receivedSlots: 5 })
  expect(await reader.sources({ interval: DAY, asOfMs: START + 6 * MINUTE_MS })).toEqual([])
  expect(await reader.sources({ interval: DAY, asOfMs: START - DAY_MS })).toEqual([])
  expect(world.asked.known).toHaveLength(1)
})

test('sources of one account, or all of them, over every meter', async () => {
  const world = newWorld()
  world.records.push(record('edge-1'), record('edge-2'), record('own', { accountId: 'acc-1' }))
  world.sets.push({ sources: ['edge-2'], accountIds: ['acc-1'] })
  const reader = readerOf(world)
  const names = async (accountId?: string) => {
    const who = accountId === undefined ? {} : { accountId }
    const found = await reader.sources({ interval: DAY, asOfMs: NOON, ...who })
    return found.map(({ source }) => source)
  }
  expect(await names()).toEqual(['edge-1', 'edge-2', 'own'])
  expect(await names('acc-1')).toEqual(['edge-2', 'own'])
  expect(new Set(world.asked.slots.map(({ meter }) => meter))).toEqual(
    new Set(['cdn', 'eip', 'mna']),
  )
})

test('accounts asked for one by one share what was read, until usage of the day is loaded', async () => {
  const world = newWorld()
  world.records.push(record('edge'))
  world.sets.push({ sources: ['edge'], accountIds: ['acc-1', 'acc-2'] })
  world.late.push(9)
  const reader = readerOf(world)
  const ask = async (accountId: string, throughBatch: number, asOfMs = NOON) => {
    await reader.coverage({ ...query, accountIds: [accountId], throughBatch, asOfMs })
    return world.asked.slots.length
  }
  expect(await ask('acc-1', 7)).toBe(1)
  // A second later, after batches of other days.
  expect(await ask('acc-2', 7, NOON + 1000)).toBe(1)
  expect(await ask('acc-2', 8)).toBe(1)
  expect(await ask('acc-2', 9)).toBe(2)
  // An older batch is another question, and so is what is known later.
  expect(await ask('acc-2', 8)).toBe(3)
  expect(await ask('acc-2', 8, NOON + 5 * MINUTE_MS)).toBe(4)
})

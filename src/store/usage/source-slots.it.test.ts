import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  createWorldStore,
  NOW_MS,
  startPipeline,
  WORLD,
  type Pipeline,
} from '../../../test/support/pipeline.ts'
import { DAY_MS, FIVE_MINUTES_MS, HOUR_MS, MINUTE_MS } from '../../core/period.ts'
import type { Engine } from './engine.ts'
import { openEngine } from './open.ts'
import { createSourceSlots } from './source-slots.ts'

const START = NOW_MS - 6 * HOUR_MS
const DAY = { startMs: START, endMs: NOW_MS }

let directory: string
let engine: Engine
let pipeline: Pipeline
let firstBatch: number

function records(resource: string, startMs: number, minutes: readonly number[]): string[] {
  return minutes.map((minute) =>
    JSON.stringify({
      time: new Date(startMs + minute * MINUTE_MS).toISOString(),
      resource,
      bytesOut: 1,
    }),
  )
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'weir-slots-'))
  engine = await openEngine({
    location: join(directory, 'usage'),
    cluster: null,
    queryConnections: 1,
    requestTimeoutMs: 60_000,
  })
  const store = createWorldStore(engine, directory, { attributions: WORLD, revision: 1 })
  await store.open()
  pipeline = await startPipeline(directory, store)
  // Slots 0, 1, 2 and 4; the record of ten days before is outside of the day.
  const a = [...records('a.example.com', START, [0, 3, 5, 14, 20]), ...old(10)]
  firstBatch = (await pipeline.load({ meter: 'cdn', source: 'edge-1' }, a)).seq
  await pipeline.load({ meter: 'cdn', source: 'edge-2' }, records('a.example.com', START, [7]))
  const other = records('other.example.net', START, [359])
  await pipeline.load({ meter: 'cdn', source: 'edge-2' }, other)
  // Other accounts' usage of the same source, in a later batch.
  await pipeline.load({ meter: 'cdn', source: 'edge-1' }, records('a.example.com', START, [15]))
}, 60_000)

function old(days: number): string[] {
  return records('a.example.com', START - days * DAY_MS, [0])
}

afterAll(async () => {
  await pipeline.stop()
  await engine.close()
  await rm(directory, { recursive: true })
})

function slot(first: number, last: number) {
  return {
    startMs: START + first * FIVE_MINUTES_MS,
    endMs: START + (last + 1) * FIVE_MINUTES_MS,
  }
}

const CDN = { meter: 'cdn', interval: DAY, throughBatch: null } as const

test('slots in which records moved come as runs, with the first record since the given instant', async () => {
  const reader = createSourceSlots(engine)
  expect(await reader.slots({ ...CDN, sinceMs: START - 35 * DAY_MS })).toEqual([
    { source: 'edge-1', firstMs: START - 10 * DAY_MS, slots: [slot(0, 4)] },
    { source: 'edge-2', firstMs: START + 7 * MINUTE_MS, slots: [slot(1, 1), slot(71, 71)] },
  ])
})

test('only rows up to the batch are seen', async () => {
  const reader = createSourceSlots(engine)
  const bound = { ...CDN, throughBatch: firstBatch }
  expect(await reader.slots({ ...bound, sinceMs: START })).toEqual([
    { source: 'edge-1', firstMs: START, slots: [slot(0, 2), slot(4, 4)] },
  ])
  expect(await reader.sourceSets(bound)).toEqual([{ sources: ['edge-1'], accountIds: ['acc-1'] }])
})

test('a source whose records are all older has no slots', async () => {
  const reader = createSourceSlots(engine)
  const interval = { startMs: START + 30 * MINUTE_MS, endMs: START + HOUR_MS }
  expect(await reader.slots({ ...CDN, interval, sinceMs: START })).toEqual([
    { source: 'edge-1', firstMs: START, slots: [] },
    { source: 'edge-2', firstMs: START + 7 * MINUTE_MS, slots: [] },
  ])
  expect(await reader.slots({ ...CDN, meter: 'eip', sinceMs: START })).toEqual([])
})

test('accounts come by their set of sources', async () => {
  const reader = createSourceSlots(engine)
  expect(await reader.sourceSets(CDN)).toEqual([
    { sources: ['edge-1', 'edge-2'], accountIds: ['acc-1'] },
    { sources: ['edge-2'], accountIds: ['acc-2'] },
  ])
})

test('rows that came with later batches are noticed, and only those of the interval', async () => {
  const reader = createSourceSlots(engine)
  const lastBatch = firstBatch + 3
  const after = (afterBatch: number, throughBatch = lastBatch, interval = DAY) =>
    reader.isAnyAfter({ meter: 'cdn', interval, afterBatch, throughBatch })
  expect(await after(firstBatch)).toBe(true)
  expect(await after(lastBatch - 1)).toBe(true)
  expect(await after(lastBatch, lastBatch + 5)).toBe(false)
  // The last batch has usage of the first hour only.
  const lastHour = { startMs: NOW_MS - HOUR_MS, endMs: NOW_MS }
  expect(await after(lastBatch - 1, lastBatch, lastHour)).toBe(false)
})

import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createCatalog } from '../../catalog/catalog.ts'
import { FIVE_MINUTES_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../core/period.ts'
import { type ControlStore, openControlStore } from './control-store.ts'
import { createCoverageStore, type CoverageStore } from './coverage.ts'
import { createMasterKeys } from './master-key.ts'
import { coverage as migration } from './migrations/0009-coverage.ts'

/** The slot that most tests take place in begins here. */
const T = Date.UTC(2026, 10, 20, 10, 0)
const DAY = { startMs: T - 10 * HOUR_MS, endMs: T + 14 * HOUR_MS }
const LATER = T + 20 * HOUR_MS

interface World {
  readonly store: ControlStore
  readonly coverage: CoverageStore
}

/** The guarantees of what is kept of coverage; `newLocation` names an empty database each time. */
export function coverageSuite(newLocation: () => Promise<string>): void {
  let world: World
  beforeEach(async () => {
    const masterKeys = createMasterKeys([randomBytes(32).toString('base64')])
    const clock = { nowMs: () => T }
    const store = await openControlStore(await newLocation(), { clock, masterKeys })
    world = { store, coverage: createCoverageStore(store.db) }
  })
  afterEach(() => world.store.close())

  expectationTests(() => world)
  beatTests(() => world)
  throughTests(() => world)
  numberTests(() => world)
}

/** What is known of one source of which something is expected. */
async function recordOf({ coverage }: World, source: string, knownMs = LATER) {
  return (await coverage.records(DAY, knownMs)).find((record) => record.source === source)
}

async function expectAlways({ coverage }: World, ...sources: string[]): Promise<void> {
  const continuous = new Map(sources.map((source) => [source, 'continuous'] as const))
  await coverage.noteExpectations('config', continuous, T - 20 * HOUR_MS)
}

function expectationTests(world: () => World): void {
  test('a new source is due for ever, a changed one until and from the change', async () => {
    const { coverage } = world()
    const note = (expects: 'continuous' | 'sporadic' | 'retired', nowMs: number) =>
      coverage.noteExpectations('config', new Map([['edge', expects]]), nowMs)
    await note('continuous', T - 5 * HOUR_MS)
    // Said again, it changes nothing.
    await note('continuous', T - 4 * HOUR_MS)
    await note('sporadic', T + 3 * MINUTE_MS)
    await note('continuous', T + 2 * HOUR_MS)
    await note('retired', T + 3 * HOUR_MS)
    expect((await recordOf(world(), 'edge'))?.due).toEqual([
      { startMs: 0, endMs: T },
      { startMs: T + 2 * HOUR_MS, endMs: T + 3 * HOUR_MS },
    ])
    expect(await world().store.db.selectFrom('source_terms').selectAll().execute()).toHaveLength(4)
  })

  test('what was recorded later is not known earlier', async () => {
    const { coverage } = world()
    await coverage.noteExpectations('config', new Map([['edge', 'continuous']]), T)
    await coverage.noteExpectations('config', new Map([['edge', 'retired']]), T + HOUR_MS)
    expect(await recordOf(world(), 'edge', T - 1)).toBeUndefined()
    expect((await recordOf(world(), 'edge', T))?.due).toEqual([{ startMs: 0, endMs: DAY.endMs }])
    expect((await recordOf(world(), 'edge', T + HOUR_MS))?.due).toEqual([
      { startMs: 0, endMs: T + HOUR_MS },
    ])
  })

  test('a source that was never due is not retired, and one that two speak for is due while either says so', async () => {
    const { coverage } = world()
    await coverage.noteExpectations('config', new Map([['never', 'retired']]), T)
    await coverage.noteExpectations('catalog', new Map([['edge', 'continuous']]), T)
    await coverage.noteExpectations('config', new Map([['edge', 'sporadic']]), T + 1)
    expect((await coverage.records(DAY, LATER)).map(({ source, due }) => [source, due])).toEqual([
      ['edge', [{ startMs: 0, endMs: DAY.endMs }]],
    ])
  })

  test('a source of the catalog tells whom it is restricted to and what it may report', async () => {
    const { store, coverage } = world()
    const catalog = createCatalog(store.catalog, { clock: { nowMs: () => T } })
    await catalog.ensureDefaults()
    const writer = catalog.as('test')
    const account = await writer.createAccount({ name: 'acme' })
    const made = await writer.createSource({ name: 'fw', meters: ['eip'], account: 'acme' })
    expect(made.source.expects).toBe('continuous')
    expect(await writer.updateSource('fw', { expects: 'sporadic' })).toMatchObject({
      ...made.source,
      expects: 'sporadic',
    })
    expect((await catalog.rows.sources.get(made.source.id))?.expects).toBe('sporadic')
    await coverage.noteExpectations('catalog', new Map([['fw', 'continuous']]), T)
    expect(await recordOf(world(), 'fw')).toMatchObject({ accountId: account.id, meters: ['eip'] })
  })

  test('nothing is expected of what sources did before the upgrade', async () => {
    const { store, coverage } = world()
    const catalog = createCatalog(store.catalog, { clock: { nowMs: () => T } })
    await catalog.as('test').createSource({ name: 'old', meters: ['eip'] })
    for (const table of ['source_terms', 'source_marks', 'source_beats', 'source_gaps']) {
      await store.db.schema.dropTable(table).execute()
    }
    await store.db.transaction().execute((trx) => migration.up(trx, store.backend))
    await coverage.noteExpectations('catalog', new Map([['old', 'continuous']]), T + MINUTE_MS)
    expect((await recordOf(world(), 'old'))?.due).toEqual([{ startMs: T, endMs: DAY.endMs }])
  })
}

function beatTests(world: () => World): void {
  const beat = (slot: number, slots = 1) => ({
    source: 'edge',
    startMs: T + slot * FIVE_MINUTES_MS,
    endMs: T + (slot + slots) * FIVE_MINUTES_MS,
  })

  test('beats in slot after slot are one row, a pause begins another', async () => {
    await expectAlways(world(), 'edge')
    const { store, coverage } = world()
    for (const slot of [0, 1, 1, 2, 5, 5]) {
      await coverage.recordBeats([beat(slot)], T + slot * FIVE_MINUTES_MS + MINUTE_MS)
    }
    expect((await recordOf(world(), 'edge'))?.beats).toEqual([
      { startMs: T, endMs: T + 15 * MINUTE_MS },
      { startMs: T + 25 * MINUTE_MS, endMs: T + 30 * MINUTE_MS },
    ])
    expect(await store.db.selectFrom('source_beats').selectAll().execute()).toHaveLength(2)
    expect((await recordOf(world(), 'edge'))?.firstMs).toBe(T)
  })

  test('what is known as of an instant stays as it is, whatever is recorded later', async () => {
    await expectAlways(world(), 'edge')
    const { coverage } = world()
    await coverage.recordBeats([beat(0)], T + MINUTE_MS)
    const knownMs = T + 6 * MINUTE_MS
    const before = await recordOf(world(), 'edge', knownMs)
    expect(before?.beats).toEqual([{ startMs: T, endMs: T + FIVE_MINUTES_MS }])
    // The row grows, and hours later the sender says what came before.
    await coverage.recordBeats([beat(1)], T + 7 * MINUTE_MS)
    await coverage.recordBeats([beat(-12, 12)], T + HOUR_MS)
    await coverage.recordGap(
      { source: 'edge', startMs: T, endMs: T + SECOND_MS, file: 'f' },
      T + HOUR_MS,
    )
    expect(await recordOf(world(), 'edge', knownMs)).toEqual(before)
    const later = await recordOf(world(), 'edge', T + HOUR_MS)
    expect(later?.beats).toEqual([
      { startMs: T - HOUR_MS, endMs: T },
      { startMs: T, endMs: T + 10 * MINUTE_MS },
    ])
    expect(later?.gaps).toEqual([{ startMs: T, endMs: T + SECOND_MS }])
  })

  test('a beat over slots long past and the present one keeps both apart', async () => {
    await expectAlways(world(), 'edge')
    const { store, coverage } = world()
    await coverage.recordBeats([beat(-3, 4)], T + 2 * MINUTE_MS)
    const rows = await store.db.selectFrom('source_beats').selectAll().orderBy('start_ms').execute()
    expect(rows.map((row) => [row.start_ms - T, row.end_ms - T, row.recorded_ms])).toEqual([
      [-15 * MINUTE_MS, 0, T + 2 * MINUTE_MS],
      [0, 5 * MINUTE_MS, 0],
    ])
    // Never into the future, whatever is claimed.
    await coverage.recordBeats([beat(0, 10)], T + 2 * MINUTE_MS)
    expect((await recordOf(world(), 'edge'))?.beats.at(-1)?.endMs).toBe(T + FIVE_MINUTES_MS)
  })

  test('a gap of an instant at midnight belongs to the day that begins', async () => {
    const { coverage } = world()
    const at = (ms: number) => ({ source: 'edge', startMs: ms, endMs: ms, file: 'f' })
    await coverage.recordGap(at(DAY.startMs), T)
    await coverage.recordGap(at(DAY.endMs), T)
    expect((await recordOf(world(), 'edge'))?.gaps).toHaveLength(1)
  })
}

function throughTests(world: () => World): void {
  test('a sender that says through when it sent all of it fills what lies before', async () => {
    await expectAlways(world(), 'edge')
    const { coverage } = world()
    const say = (throughMs: number, nowMs: number) =>
      coverage.recordThrough('edge', throughMs, nowMs)
    // The first time it only says where it begins.
    await say(T + MINUTE_MS, T + 2 * MINUTE_MS)
    expect((await recordOf(world(), 'edge'))?.beats).toEqual([])
    await say(T + 62 * MINUTE_MS, T + 63 * MINUTE_MS)
    await say(T + 30 * MINUTE_MS, T + 64 * MINUTE_MS)
    await say(T + 75 * MINUTE_MS, T + 80 * MINUTE_MS)
    expect((await recordOf(world(), 'edge'))?.beats).toEqual([
      { startMs: T, endMs: T + HOUR_MS },
      { startMs: T + HOUR_MS, endMs: T + 75 * MINUTE_MS },
    ])
  })
}

function numberTests(world: () => World): void {
  /** Receives numbers at whole minutes after T. */
  async function receive(...numbers: (readonly [number, number])[]): Promise<void> {
    for (const [number, minute] of numbers) {
      const receivedMs = T + minute * MINUTE_MS
      await world().coverage.recordNumbers([{ source: 'edge', number, receivedMs }], receivedMs)
    }
  }
  const gaps = async (knownMs = LATER) => (await recordOf(world(), 'edge', knownMs))?.gaps ?? []
  const span = (from: number, to: number) => ({
    startMs: T + from * MINUTE_MS,
    endMs: T + to * MINUTE_MS,
  })

  test('numbers that follow each other leave no gap, and repetitions none', async () => {
    await receive([7, 0], [8, 1], [8, 2], [9, 3], [7, 4], [3, 5])
    expect(await gaps()).toEqual([])
  })

  test('numbers left out are a gap between two arrivals until the last of them came', async () => {
    await receive([1, 0], [5, 10], [6, 11])
    expect(await gaps()).toEqual([span(0, 10)])
    await receive([3, 20])
    // 2 and 4 are still missing, each for the whole time.
    expect(await gaps()).toEqual([span(0, 10), span(0, 10)])
    await receive([2, 21], [2, 22], [4, 30])
    expect(await gaps()).toEqual([])
    // Known then: the gap was there until it was filled.
    expect(await gaps(T + 29 * MINUTE_MS)).toEqual([span(0, 10)])
    expect(await gaps(T + 20 * MINUTE_MS)).toHaveLength(2)
  })

  test('what arrives together in the wrong order leaves no gap', async () => {
    await receive([1, 0])
    const numbers = [4, 2, 3].map((number) => ({ source: 'edge', number, receivedMs: T }))
    await world().coverage.recordNumbers(numbers, T)
    expect(await gaps()).toEqual([])
  })

  test('of two nodes that receive numbers at once, none gets lost', async () => {
    await receive([0, 0])
    const numbers = Array.from({ length: 40 }, (_, index) => index + 1)
    const { coverage } = world()
    await Promise.all(
      numbers.map((number) =>
        coverage.recordNumbers([{ source: 'edge', number, receivedMs: T }], T),
      ),
    )
    expect(await gaps()).toEqual([])
  })

  test('numbers of 2^53 - 1 are exact, and sources do not mix', async () => {
    const { coverage } = world()
    const high = Number.MAX_SAFE_INTEGER
    const at = (source: string, number: number) => ({ source, number, receivedMs: T })
    await coverage.recordNumbers([at('edge', high - 2), at('other', 1), at('edge', high)], T)
    await coverage.recordNumbers([at('other', 2)], T)
    expect(await gaps()).toHaveLength(1)
    await coverage.recordNumbers([at('edge', high - 1)], T)
    expect(await gaps()).toEqual([])
  })
}

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  createWorldStore,
  NOW_MS,
  startPipeline,
  WORLD,
  type Pipeline,
} from '../../../test/support/pipeline.ts'
import type { MeterName } from '../../meters/meter.ts'
import { QUANTITY_MAX, RECORD_FIELDS, type RecordField } from '../../meters/records.ts'
import { parseUsage } from '../../sources/usage-http/parse.ts'
import type { Engine } from './engine.ts'
import { openEngine } from './open.ts'
import { listRejected } from './rejects.ts'

/** A field as JSON text: mostly a right spelling, now and then an odd or a wrong one. */
function spelling(field: RecordField): fc.Arbitrary<string> {
  if (field.name === 'resource') return fc.constant('"?"')
  const spellings: Readonly<
    Record<RecordField['type'], readonly [fc.Arbitrary<string>, fc.Arbitrary<string>]>
  > = {
    quantity: [quantityText, oddQuantity],
    time: [timeText, oddTime],
    choice: [choiceText(field.choices ?? ['']), oddChoice],
    text: [freeText, oddText],
  }
  const [right, odd] = spellings[field.type]
  return fc.oneof({ weight: 30, arbitrary: right }, { weight: 1, arbitrary: odd })
}

const integer = fc
  .oneof(fc.nat(), fc.maxSafeNat(), fc.constantFrom(0, 1, QUANTITY_MAX))
  .map((value) => Math.min(value, QUANTITY_MAX))
const quantityText = fc.oneof(
  integer.map(String),
  integer.map((value) => `"${value}"`),
  fc.nat().map((value) => `"00${value}"`),
  integer.map((value) => `${value}.0`),
  integer.map((value) => value.toExponential()),
  fc.nat(1000).map((value) => `${value}e3`),
  fc.nat(1000).map((value) => `${value}E+12`),
  fc.nat(99).map((value) => `${value}0e-1`),
  fc.constantFrom('-0', '-0.0', '0e0', '1e-400', '1125899906842623.9999999'),
)
const oddQuantity = fc.oneof(
  fc.nat(999).map((value) => `${value}.5`),
  fc.constantFrom('-1', 'null', '""', 'true', '1e400', '[]', '{}', '18446744073709551616'),
  fc.constantFrom('1125899906842625', '0.99999999999999999999', '9007199254740993', '"1e3"'),
  fc.constantFrom('" 1"', '"１"', '0.3', '"+1"'),
)

// Within the window in which usage is accepted, so that its minute can be read back.
const instant = fc.integer({ min: NOW_MS - 30 * 86_400_000, max: NOW_MS })
const timeText = fc.oneof(
  fc.tuple(instant, fc.integer({ min: -14, max: 14 }), fc.nat(59), fc.nat(7)).map(isoText),
  instant.map(String),
  instant.map((ms) => `"${ms}"`),
  instant.map((ms) => `"${Math.floor(ms / 1000)}"`),
  instant.map((ms) => `${ms / 1000}`),
  instant.map((ms) => (ms / 1000).toExponential()),
  instant.map((ms) => `${ms}.0`),
  instant.map((ms) => `${Math.floor(ms / 1000)}.999999`),
)
const oddTime = fc.oneof(
  fc.constantFrom('null', '0', '-1', '1e300', '"2026-02-30T00:00:00Z"', '"2026-11-20"', '0.001'),
  instant.map((ms) => JSON.stringify(new Date(ms).toUTCString())),
  instant.map((ms) => JSON.stringify(new Date(ms).toISOString().slice(0, -1))),
)

function isoText([ms, hours, minutes, style]: readonly [number, number, number, number]): string {
  const away = (Math.abs(hours) * 60 + (Math.abs(hours) === 14 ? 0 : minutes)) * 60_000
  const local = new Date(ms + (hours < 0 ? -away : away)).toISOString()
  const pad = (value: number): string => String(value).padStart(2, '0')
  const colon = (style & 1) === 0 ? ':' : ''
  const offset = `${hours < 0 ? '-' : '+'}${pad(away / 3_600_000 - ((away / 60_000) % 60) / 60)}${colon}${pad((away / 60_000) % 60)}`
  const fraction = ['', '.1', '.123456789', '.999'][style & 3] ?? ''
  const text = `${local.slice(0, 19)}${fraction}`.replace('T', style > 5 ? ' ' : 'T')
  const isUtc = away === 0
  return JSON.stringify(
    style === 4 ? `${local.slice(0, 16)}${offset}` : `${text}${isUtc ? 'Z' : offset}`,
  )
}

function choiceText(choices: readonly string[]): fc.Arbitrary<string> {
  const choice = fc.constantFrom(...choices)
  const isNumeric = choices.every((text) => /^\d+$/.test(text))
  return choice.map((text) => (isNumeric && text === '1' ? text : JSON.stringify(text)))
}
const oddChoice = fc.constantFrom(
  'null',
  '""',
  '0',
  '1',
  '1.0',
  '0.0',
  '1e0',
  '10e-1',
  '-0',
  'true',
  '"OUT"',
  '[]',
  '"01"',
)

const freeText = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 20 }).map((text) => JSON.stringify(text)),
  fc.constantFrom(
    String.raw`"\ud83d\ude00"`,
    String.raw`"\u0000\/\b\f"`,
    String.raw`"\\ud800"`,
    'null',
    '"1.2.3.4"',
    '"::ffff:60.1.2.3"',
    '"HIT"',
    '"2409:8000::1"',
    '"1.2.3.400"',
  ),
)
const oddText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 20 }).map((text) => JSON.stringify(text)),
  fc.constantFrom(String.raw`"\ud800"`, String.raw`"\udc00\ud800"`, '7', '{}'),
)

const EXTRAS = ['1e400', '-1e400', '99999999999999999999', '-99999999999999999999', '"\\ud800"']

/** Lines of a meter's records; each is named by its number in the field `resource`. */
function recordLine(meter: MeterName): fc.Arbitrary<string> {
  const fields = RECORD_FIELDS[meter].filter(({ name }) => name !== 'id')
  const parts = fields.map((field) =>
    fc
      .tuple(spelling(field), fc.integer({ min: 0, max: 9 }))
      .map(([text, skip]) => (skip === 0 && !field.required ? [] : [`"${field.name}":${text}`])),
  )
  const deep = '['.repeat(2000) + ']'.repeat(2000)
  const extra = fc.oneof(
    { weight: 9, arbitrary: fc.constant<string[]>([]) },
    { weight: 2, arbitrary: fc.json({ maxDepth: 3 }).map((json) => [`"x":${json}`]) },
    { weight: 1, arbitrary: fc.constantFrom(...EXTRAS, deep).map((json) => [`"x":${json}`]) },
  )
  return fc
    .tuple(fc.tuple(...parts), extra, fc.constantFrom('', ' ', '\t', '\r'))
    .map(([texts, more, space]) => `{${space}${[...texts.flat(), ...more].join(`,${space}`)}}`)
}

const RESOURCES: Readonly<Record<MeterName, string>> = {
  cdn: 'a.example.com',
  eip: '192.0.2.1',
  mna: 'truck-7',
}

/** How JavaScript reads a record that was accepted; written apart from the code under test. */
function readRecord(meter: MeterName, line: string): Record<string, bigint | number> {
  const record = JSON.parse(line) as Record<string, unknown>
  const { time } = record
  const asNumber = typeof time === 'number' || /^\d+$/.test(String(time)) ? Number(time) : null
  const ms =
    asNumber === null
      ? Date.parse(
          String(time)
            .replace(' ', 'T')
            .replace(/(\.\d{3})\d+/, '$1'),
        )
      : asNumber * (asNumber < 1e11 ? 1000 : 1)
  const quantity = (name: string, otherwise: bigint): bigint =>
    record[name] === null || record[name] === undefined ? otherwise : BigInt(Number(record[name]))
  const names: Readonly<Record<MeterName, readonly string[]>> = {
    cdn: ['bytesOut', 'bytesIn', 'requests', 'hitBytes', 'hitRequests', 'originBytes'],
    eip: ['bytes', 'packets'],
    mna: ['bytes'],
  }
  return {
    minute: Math.floor(ms / 60_000) * 60,
    ...Object.fromEntries(
      names[meter].map((name) => [name, quantity(name, name === 'requests' ? 1n : 0n)]),
    ),
  }
}

const COLUMNS: Readonly<Record<MeterName, string>> = {
  cdn: `u.bytes_out AS bytesOut, u.bytes_in AS bytesIn, u.requests AS requests, u.hit_bytes AS hitBytes,
    u.hit_requests AS hitRequests, u.origin_bytes AS originBytes`,
  eip: 'u.bytes AS bytes, u.packets AS packets',
  mna: 'u.bytes AS bytes',
}

describe('what the HTTP door accepts, the engine reads as JavaScript does', () => {
  let directory: string
  let engine: Engine
  let pipeline: Pipeline

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'weir-agree-'))
    engine = await openEngine({
      location: join(directory, 'usage'),
      cluster: null,
      queryConnections: 1,
      requestTimeoutMs: 30_000,
    })
    const store = createWorldStore(engine, directory, { attributions: WORLD, revision: 1 })
    await store.open()
    pipeline = await startPipeline(directory, store)
  })

  afterAll(async () => {
    await pipeline.stop()
    await engine.close()
    await rm(directory, { recursive: true, force: true })
  })

  async function accepted(meter: MeterName, candidates: readonly string[]): Promise<string[]> {
    const lines: string[] = []
    for (const candidate of candidates) {
      const line = candidate.replace('"?"', JSON.stringify(RESOURCES[meter]))
      const parsed = await parseUsage(Buffer.from(line), undefined, meter).catch(() => undefined)
      if (parsed !== undefined) lines.push(parsed.body.toString().trimEnd())
    }
    return lines
  }

  async function agree(meter: MeterName, lines: readonly string[]): Promise<void> {
    const outcome = await pipeline.load({ meter, source: 'agree' }, lines)
    if (outcome.accepted !== lines.length) {
      const refused = await listRejected(
        engine,
        { source: 'agree', meter },
        { limit: 3, after: null },
      )
      const seen = refused.map(({ reason, raw }) => `${reason}: ${raw.toString()}`)
      throw new Error(`accepted and then refused: ${seen.join('\n')}`)
    }
    const rows = await engine.rows<Record<string, string>>(
      `SELECT toString(toUnixTimestamp(u.minute)) AS minute, ${COLUMNS[meter]}
    FROM usage_${meter} AS u WHERE u.batch = ${outcome.seq}`,
    )
    const toText = (row: Record<string, unknown>): string =>
      Object.keys(row)
        .sort()
        .map((name) => `${name}=${String(row[name])}`)
        .join(' ')
    expect(rows.map(toText).sort()).toEqual(
      lines.map((line) => toText(readRecord(meter, line))).sort(),
    )
  }

  test.each(['cdn', 'eip', 'mna'] as const)(
    '%s',
    async (meter) => {
      let total = 0
      await fc.assert(
        fc.asyncProperty(
          fc.array(recordLine(meter), { minLength: 300, maxLength: 300 }),
          async (candidates) => {
            const lines = await accepted(meter, candidates)
            fc.pre(lines.length > 0)
            total += lines.length
            await agree(meter, lines)
          },
        ),
        { numRuns: 5, endOnFailure: true },
      )
      expect(total).toBeGreaterThan(300)
    },
    60_000,
  )

  test('odd spellings of a choice and of zero', async () => {
    const record = { time: NOW_MS, resource: '?', direction: 'up', accessRegion: 'MC', bytes: 1 }
    const spellings = ['0', '-0', '0.0', '1', '1.0', '1e0', '10e-1', '"0"', '"1"', '""', 'null']
    const lines = spellings.map((text) =>
      JSON.stringify({ ...record, gatewayType: 'X' }).replace('"X"', text),
    )
    const taken = await accepted('mna', lines)
    expect(taken.length).toBeGreaterThan(5)
    await agree('mna', taken)
  })
})

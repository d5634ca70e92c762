import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { parseManifest } from '../catalog/manifest.ts'
import { DAY_MS, MINUTE_MS } from '../core/period.ts'
import { lookup } from '../geo/geo.ts'
import { PROVINCES, CARRIERS } from '../geo/region.ts'
import { BILLING_REGIONS } from '../meters/places.ts'
import { RECORD_FIELDS } from '../meters/records.ts'
import { compileFormat } from '../sources/access-log/format.ts'
import { checkRecord } from '../sources/usage-http/record.ts'
import { accessLogPieces, EXAMPLE_LOG_FORMAT, type ExamplePlan } from './access-log.ts'
import { exampleCatalog } from './catalog.ts'
import { createClients } from './clients.ts'
import { createRandom } from './random.ts'
import { eipRecordPieces, mnaRecordPieces } from './records.ts'
import { EXAMPLE_ADDRESSES, EXAMPLE_DEVICES, EXAMPLE_DOMAINS } from './resources.ts'

const END_MS = Date.UTC(2026, 10, 21, 7, 30)
const PLAN: ExamplePlan = { seed: 1, startMs: END_MS - 3 * DAY_MS, endMs: END_MS, lines: 5000 }

const textOf = (pieces: Iterable<string>): string => [...pieces].join('')
const hashOf = (pieces: Iterable<string>): string =>
  createHash('sha256').update(textOf(pieces)).digest('hex')
const linesOf = (pieces: Iterable<string>): string[] => textOf(pieces).trimEnd().split('\n')

const GENERATORS = { accessLogPieces, eipRecordPieces, mnaRecordPieces }

test.each(Object.entries(GENERATORS))(
  '%s makes the same bytes for the same plan, others for another seed or end',
  (_name, generate) => {
    const hash = hashOf(generate(PLAN))
    expect(hashOf(generate({ ...PLAN }))).toBe(hash)
    expect(hashOf(generate({ ...PLAN, seed: 2 }))).not.toBe(hash)
    const later = { ...PLAN, startMs: PLAN.startMs + DAY_MS, endMs: PLAN.endMs + DAY_MS }
    expect(hashOf(generate(later))).not.toBe(hash)
  },
)

test('the bytes of seed 1 are those of every machine and release', () => {
  expect(Object.values(GENERATORS).map((generate) => hashOf(generate(PLAN))))
    .toMatchInlineSnapshot(`
    [
      "a966953775303a56a32a37f0d31d32de26577225be8e6b33d8c284837b086ee8",
      "65e93d6d86bdfc06285cd7c198d2cc4b14dbe0d69049da0641eca99fcb3d099e",
      "e89b94dd167627e52fcb2863167c839beea308d1862a540df398ab9be501db51",
    ]
  `)
})

test('the log has the lines it was asked for, ascending, within its interval', () => {
  const lines = linesOf(accessLogPieces(PLAN))
  expect(lines).toHaveLength(5000)
  const times = lines.map((line) => timeOf(line))
  expect(times).toEqual(times.toSorted((a, b) => a - b))
  expect(times[0]).toBeGreaterThanOrEqual(PLAN.startMs)
  expect(times.at(-1)).toBeLessThan(PLAN.endMs)
  expect(Math.max(...times)).toBeGreaterThan(PLAN.endMs - 5 * MINUTE_MS)
})

function timeOf(line: string): number {
  const [, day = '', month = '', year = '', clock = ''] =
    /\[(\d\d)\/(\w{3})\/(\d{4}):(\d\d:\d\d:\d\d) \+0800\]/.exec(line) ?? []
  return Date.parse(`${day} ${month} ${year} ${clock} +0800`)
}

test('the log is busiest in the evening of China', () => {
  const byHour = Array.from({ length: 24 }, () => 0)
  for (const line of linesOf(accessLogPieces(PLAN))) {
    const hour = Number(/:(\d\d):\d\d:\d\d \+0800/.exec(line)?.[1])
    byHour[hour] = (byHour[hour] ?? 0) + 1
  }
  expect(byHour.indexOf(Math.max(...byHour))).toBeOneOf([20, 21])
  expect(byHour.indexOf(Math.min(...byHour))).toBeOneOf([3, 4])
})

test('an interval of one minute and a log of no lines are no special cases', () => {
  expect(linesOf(accessLogPieces({ ...PLAN, startMs: END_MS - MINUTE_MS, lines: 7 }))).toHaveLength(
    7,
  )
  expect(textOf(accessLogPieces({ ...PLAN, lines: 0 }))).toBe('')
})

test('the format compiles, and every domain of the catalog is in the log', () => {
  const spec = {
    format: EXAMPLE_LOG_FORMAT,
    domain: null,
    clientFrom: 'remote_addr',
    timeZone: null,
  } as const
  expect(compileFormat(spec).steps.length).toBeGreaterThan(5)
  const hosts = new Set(linesOf(accessLogPieces(PLAN)).map((line) => line.split(' ')[0]))
  expect([...hosts].sort()).toEqual(EXAMPLE_DOMAINS.map(({ name }) => name).sort())
})

test('clients come from every province, carrier and billing region, one in ten from abroad, some by IPv6', () => {
  const next = createClients(createRandom(1, 'test'))
  const regions = Array.from({ length: 5000 }, next).map((address) => ({
    ...lookup(address),
    isIpv6: address.includes(':'),
  }))
  const provinces = new Set(regions.map(({ province }) => province))
  expect(PROVINCES.filter((province) => !provinces.has(province))).toEqual([])
  const carriers = new Set(regions.filter(({ area }) => area === 'cn').map(({ isp }) => isp))
  expect(CARRIERS.filter((isp) => isp !== 'others' && !carriers.has(isp))).toEqual([])
  const places = new Set(regions.map(({ billingRegion }) => billingRegion))
  expect([...places, 'abroad'].sort()).toEqual([...BILLING_REGIONS].sort())
  const share = (count: number): number => count / regions.length
  expect(share(regions.filter(({ area }) => area === 'abroad').length)).toBeCloseTo(0.12, 1)
  expect(share(regions.filter(({ isIpv6 }) => isIpv6).length)).toBeCloseTo(0.13, 1)
  expect(regions.filter(({ area, province }) => area === 'cn' && province === 'others')).toEqual([])
})

test.each([
  ['eip', eipRecordPieces, EXAMPLE_ADDRESSES, 864 * 3 * 2],
  ['mna', mnaRecordPieces, EXAMPLE_DEVICES, 864 * 6 * 2],
] as const)('%s records are well formed, of known resources, each with its own id', (...row) => {
  const [meter, generate, resources, count] = row
  const records = linesOf(generate(PLAN)).map(
    (line) => JSON.parse(line) as { id: string; time: number; resource: string },
  )
  expect(records).toHaveLength(count)
  const problems = records.flatMap((record) => checkRecord(record, RECORD_FIELDS[meter]) ?? [])
  expect(problems).toEqual([])
  expect(new Set(records.map(({ id }) => id)).size).toBe(count)
  const names = new Set(records.map(({ resource }) => resource))
  expect([...names].sort()).toEqual(resources.map(({ name }) => name).sort())
  const times = records.map(({ time }) => time * 1000)
  expect([times[0], times.at(-1)]).toEqual([PLAN.startMs, PLAN.endMs - 5 * MINUTE_MS])
})

test('the catalog is one that can be applied, and everything in it began before the usage', () => {
  const manifest = parseManifest(JSON.stringify(exampleCatalog(END_MS)), 'example')
  const begins = [
    ...(manifest.resources ?? []).map(({ createdAt }) => createdAt),
    ...(manifest.packages ?? []).map((pack) =>
      pack.type === 'traffic' ? pack.startAt : pack.createdAt,
    ),
  ]
  expect(begins).toHaveLength(15)
  expect(Math.max(...begins.map((begin) => begin ?? Infinity))).toBeLessThan(PLAN.startMs)
})

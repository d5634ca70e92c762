import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DAY_MS, HOUR_MS } from '../core/period.ts'
import { type ChargeMode, chargeStretches, modeAt, nextSwitchMs, stateOf } from './charge-modes.ts'

const at = (text: string) => Date.parse(`${text}+08:00`)

function mode(id: string, from: string, requested: string, packHash = id): ChargeMode {
  return {
    id,
    accountId: 'acc-a',
    meter: 'cdn',
    fromMs: at(from),
    requestedMs: at(requested),
    packHash,
    groups: {},
    actor: 'test',
  }
}

/** Begun on the 1st; two switches on the 9th, one on the 19th. */
const HISTORY = [
  mode('late', '2026-11-20T00:00', '2026-11-19T12:00'),
  mode('taken-back', '2026-11-10T00:00', '2026-11-09T09:00'),
  mode('first', '2026-11-01T00:00', '2026-11-01T10:00'),
  mode('last-of-day', '2026-11-10T00:00', '2026-11-09T17:00'),
]

const shown = (start: string, end: string, history = HISTORY) =>
  chargeStretches(history, { startMs: at(start), endMs: at(end) }).map((stretch) => [
    new Date(stretch.startMs + 8 * HOUR_MS).toISOString().slice(5, 10),
    new Date(stretch.endMs + 8 * HOUR_MS).toISOString().slice(5, 10),
    stretch.mode.id,
  ])

describe('a switch takes effect at the next local midnight', () => {
  test.each([
    ['any time of the day', '2026-11-20T07:34:05Z', 'Asia/Shanghai', '2026-11-20T16:00:00Z'],
    ['the last second', '2026-11-20T15:59:59Z', 'Asia/Shanghai', '2026-11-20T16:00:00Z'],
    [
      'midnight itself: the day has begun',
      '2026-11-20T16:00:00Z',
      'Asia/Shanghai',
      '2026-11-21T16:00:00Z',
    ],
    ['a zone of half an hour', '2026-11-20T18:29:59Z', 'Asia/Kolkata', '2026-11-20T18:30:00Z'],
    ['a day of 23 hours', '2026-03-08T06:00:00Z', 'America/New_York', '2026-03-09T04:00:00Z'],
    ['a day of 25 hours', '2026-11-01T04:00:00Z', 'America/New_York', '2026-11-02T05:00:00Z'],
    [
      'a midnight that is skipped',
      '2026-09-05T20:00:00Z',
      'America/Santiago',
      '2026-09-06T04:00:00Z',
    ],
  ])('%s', (_what, now, zone, expected) => {
    expect(nextSwitchMs(Date.parse(now), zone)).toBe(Date.parse(expected))
  })
})

describe('the mode in force', () => {
  test.each([
    ['2026-10-31T23:59', undefined],
    ['2026-11-01T00:00', 'first'],
    ['2026-11-09T23:59', 'first'],
    ['2026-11-10T00:00', 'last-of-day'],
    ['2026-11-19T23:59', 'last-of-day'],
    ['2026-11-20T00:00', 'late'],
    ['2036-11-20T00:00', 'late'],
  ])('at %s is %s', (instant, id) => {
    expect(modeAt(HISTORY, at(instant))?.id).toBe(id)
  })

  test('of two requests of one moment is the one with the greater id, in any order', () => {
    const two = [
      mode('b', '2026-11-01T00:00', '2026-11-01T00:00'),
      mode('a', '2026-11-01T00:00', '2026-11-01T00:00'),
    ]
    expect(modeAt(two, at('2026-11-02T00:00'))?.id).toBe('b')
    expect(modeAt(two.toReversed(), at('2026-11-02T00:00'))?.id).toBe('b')
  })
})

test('every entry is kept and says what became of it', () => {
  const states = (now: string) =>
    Object.fromEntries(HISTORY.map((each) => [each.id, stateOf(each, HISTORY, at(now))]))
  expect(states('2026-11-15T12:00')).toEqual({
    first: 'past',
    'taken-back': 'overruled',
    'last-of-day': 'current',
    late: 'coming',
  })
})

describe('an interval is cut where another mode takes over', () => {
  test('half-open, in order, without what was taken back', () => {
    expect(shown('2026-11-01T00:00', '2026-12-01T00:00')).toEqual([
      ['11-01', '11-10', 'first'],
      ['11-10', '11-20', 'last-of-day'],
      ['11-20', '12-01', 'late'],
    ])
  })

  test.each([
    ['2026-11-12T00:00', '2026-11-13T00:00', [['11-12', '11-13', 'last-of-day']]],
    ['2026-11-10T00:00', '2026-11-20T00:00', [['11-10', '11-20', 'last-of-day']]],
    ['2026-10-01T00:00', '2026-11-02T00:00', [['11-01', '11-02', 'first']]],
    ['2026-10-01T00:00', '2026-11-01T00:00', []],
    ['2026-11-05T00:00', '2026-11-05T00:00', []],
    ['2027-01-01T00:00', '2027-02-01T00:00', [['01-01', '02-01', 'late']]],
  ])('%s to %s', (start, end, expected) => {
    expect(shown(start, end)).toEqual(expected)
  })

  test('a switch to what is in force already cuts nothing', () => {
    const again = [...HISTORY, mode('again', '2026-11-15T00:00', '2026-11-14T12:00', 'last-of-day')]
    expect(shown('2026-11-01T00:00', '2026-12-01T00:00', again)).toEqual(
      shown('2026-11-01T00:00', '2026-12-01T00:00'),
    )
  })

  test('the same pack with other groups is another mode', () => {
    const groups = { line: ['eip-1'] }
    const grouped = { ...mode('grouped', '2026-11-25T00:00', '2026-11-24T12:00', 'late'), groups }
    const stretches = shown('2026-11-20T00:00', '2026-12-01T00:00', [...HISTORY, grouped])
    expect(stretches).toEqual([
      ['11-20', '11-25', 'late'],
      ['11-25', '12-01', 'grouped'],
    ])
  })
})

test('at every hour the stretches bill what a look at each request in turn would', () => {
  const START_MS = at('2026-11-01T00:00')
  const request = fc.record({
    day: fc.integer({ min: -2, max: 8 }),
    requested: fc.integer({ min: 0, max: 5 }),
    id: fc.stringMatching(/^[a-z]{3}$/),
    packHash: fc.constantFrom('p', 'q', 'r'),
  })
  const histories = fc.uniqueArray(request, { maxLength: 12, selector: ({ id }) => id })
  const hours = fc.tuple(fc.integer({ min: -72, max: 240 }), fc.integer({ min: 0, max: 200 }))
  fc.assert(
    fc.property(histories, hours, (requests, [from, length]) => {
      const history: ChargeMode[] = requests.map(({ day, requested, id, packHash }) => ({
        ...mode(id, '2026-11-01T00:00', '2026-11-01T00:00', packHash),
        fromMs: START_MS + day * DAY_MS,
        requestedMs: START_MS + requested,
      }))
      const startMs = START_MS + from * HOUR_MS
      const interval = { startMs, endMs: startMs + length * HOUR_MS }
      const stretches = chargeStretches(history, interval)
      for (let ms = startMs - HOUR_MS; ms <= interval.endMs; ms += HOUR_MS) {
        const found = stretches.filter((each) => each.startMs <= ms && ms < each.endMs)
        const isInside = ms >= interval.startMs && ms < interval.endMs
        expect(found.map((each) => each.mode.packHash)).toEqual(
          isInside ? slowly(history, ms).map(({ packHash }) => packHash) : [],
        )
      }
      for (const [index, { mode: own }] of stretches.entries()) {
        expect(own.packHash).not.toBe(stretches[index + 1]?.mode.packHash)
      }
    }),
  )
})

/** Looks at each request: one that is in effect and beats the best so far takes its place. */
function slowly(history: readonly ChargeMode[], ms: number): ChargeMode[] {
  let best: ChargeMode | undefined
  for (const each of history) {
    if (each.fromMs > ms) continue
    const isLater =
      best === undefined ||
      each.fromMs > best.fromMs ||
      (each.fromMs === best.fromMs && each.requestedMs > best.requestedMs) ||
      (each.fromMs === best.fromMs && each.requestedMs === best.requestedMs && each.id > best.id)
    if (isLater) best = each
  }
  return best === undefined ? [] : [best]
}

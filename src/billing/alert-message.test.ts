import { expect, test } from 'vitest'
import { NANO } from '../core/money.ts'
import { type Alert, NEW_STATE } from './alert.ts'
import { letterOf, notificationOf, testNotification } from './alert-message.ts'
import { formatThreshold } from './alert-quantity.ts'

const ALERT: Alert = {
  id: 'alt-1',
  name: 'packages run out',
  accountId: 'acc-1',
  meter: 'cdn',
  watch: { type: 'days-left', packageId: null, area: 'cn', kind: null },
  threshold: 3n * NANO,
  recovery: 33n * (NANO / 10n),
  endpointIds: [],
  emails: [],
  createdMs: 0,
}
const ACCOUNT = { id: 'acc-1', name: 'acme' }
const STATE = {
  phase: 'firing',
  periodMs: null,
  asOfMs: Date.UTC(2026, 10, 21),
  sequence: 7,
  value: '2.94',
} as const
const NOW = Date.UTC(2026, 10, 21, 0, 1)

test('a notification says what, of whom, where it stands and as of when', () => {
  const event = { type: 'alert.firing', reason: 'value', sequence: 7 } as const
  const { id, type, body } = notificationOf(ALERT, ACCOUNT, STATE, event, NOW)
  expect({ id, type }).toEqual({ id: 'evt-alt-1-7', type: 'alert.firing' })
  expect(JSON.parse(body)).toEqual({
    id: 'evt-alt-1-7',
    type: 'alert.firing',
    timestamp: '2026-11-21T00:01:00.000Z',
    data: {
      alert: { id: 'alt-1', name: 'packages run out' },
      account: { id: 'acc-1', name: 'acme' },
      meter: 'cdn',
      watch: { type: 'days-left', packageId: null, area: 'cn', kind: null },
      unit: 'days',
      threshold: '3',
      recovery: '3.3',
      value: '2.94',
      state: 'firing',
      reason: 'value',
      sequence: 7,
      asOf: '2026-11-21T00:00:00.000Z',
    },
  })
})

test('of two events at once each tells the state that it led to', () => {
  const recovered = { type: 'alert.recovered', reason: 'period', sequence: 6 } as const
  const { body } = notificationOf(ALERT, ACCOUNT, STATE, recovered, NOW)
  expect(JSON.parse(body)).toMatchObject({
    id: 'evt-alt-1-6',
    data: { state: 'ok', sequence: 6, reason: 'period' },
  })
})

test('a letter says the same in plain words', () => {
  const event = { type: 'alert.recovered', reason: 'value', sequence: 8 } as const
  const state = { ...STATE, value: null }
  const { subject, text } = letterOf(notificationOf(ALERT, ACCOUNT, state, event, NOW))
  expect(subject).toBe('Recovered: packages run out (acme, cdn)')
  expect(text).toContain('The value is well again.')
  expect(text).toContain('Watched:    days that all valid packages cn will last')
  expect(text).toContain('Value:      without end\n')
  expect(text).toContain('Threshold:  3 days; well again past 3.3 days')
})

test('a test says that nothing was crossed', () => {
  const { subject, text } = letterOf(testNotification('evt-x', ALERT, ACCOUNT, NEW_STATE, NOW))
  expect(subject).toMatch(/^Test: /)
  expect(text).toContain('nothing was crossed')
  expect(text).toContain('not measured yet')
})

test('no name begins a header or a line of its own', () => {
  const sly = { ...ALERT, name: 'x\r\nBcc: all@acme.example\u2028y' }
  const { subject, text } = letterOf(testNotification('evt-x', sly, ACCOUNT, NEW_STATE, NOW))
  expect(subject).toBe('Test: x Bcc: all@acme.example y (acme, cdn)')
  expect(text).not.toMatch(/^Bcc/m)
})

test.each([
  [10n * NANO, '10'],
  [100n * NANO, '100'],
  [NANO / 2n, '0.5'],
  [0n, '0'],
  [1n, '0.000000001'],
])('the threshold %d is written as %s', (limit, text) => {
  expect(formatThreshold(limit)).toBe(text)
})

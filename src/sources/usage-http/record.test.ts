import { describe, expect, test } from 'vitest'
import { RECORD_FIELDS } from '../../meters/records.ts'
import { checkRecord } from './record.ts'

const EIP = { time: '2026-11-20T10:00:00Z', resource: 'eip-1', direction: 'out', bytes: 1 }

/** The field at fault in an elastic IP record with these changes; '' when it is well formed. */
function fault(changes: Record<string, unknown>): string {
  return checkRecord({ ...EIP, ...changes }, RECORD_FIELDS.eip)?.field ?? ''
}

describe('quantities', () => {
  test.each([0, 1, 1e3, 2 ** 50, '0', '17', '1125899906842624', -0])('%j is one', (bytes) => {
    expect(fault({ bytes })).toBe('')
  })
  test.each([
    -1,
    0.5,
    2 ** 50 + 1,
    2 ** 53,
    2 ** 64,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    '-1',
    '1e3',
    '1.0',
    ' 1',
    '',
    '0x10',
    '18446744073709551616',
    '1125899906842625',
    'NaN',
    true,
    [1],
    {},
  ])('%j is none', (bytes) => {
    expect(fault({ bytes })).toBe('bytes')
  })
  test('an optional one may be null or left out, a required one may not', () => {
    expect(fault({ packets: null })).toBe('')
    expect(fault({ bytes: null })).toBe('bytes')
    expect(fault({ bytes: undefined })).toBe('bytes')
  })
})

describe('times', () => {
  test.each([
    '2026-11-20T10:00:00Z',
    '2026-11-20t10:00:00z',
    '2026-11-20 10:00:00+08:00',
    '2026-11-20T10:00:00.123456789-0330',
    '2026-11-20T10:00Z',
    '2024-02-29T00:00:00Z',
    '2000-02-29T23:59:59+14:00',
    1_795_168_800,
    1_795_168_800.5,
    1_795_168_800_123,
    '1795168800',
    '1795168800123',
  ])('%j is one', (time) => {
    expect(fault({ time })).toBe('')
  })
  test.each([
    '2026-11-20T10:00:00',
    '2026-11-20',
    '2026-02-29T00:00:00Z',
    '2100-02-29T00:00:00Z',
    '2026-04-31T00:00:00Z',
    '2026-00-10T00:00:00Z',
    '2026-13-10T00:00:00Z',
    '2026-11-00T00:00:00Z',
    '2026-11-20T24:00:00Z',
    '2026-11-20T10:60:00Z',
    '2026-11-20T10:00:60Z',
    '2026-11-20T10:00:00+15:00',
    '2026-11-20T10:00:00+08:99',
    '2026-11-20T10:00:00.Z',
    ' 2026-11-20T10:00:00Z',
    '2026-11-20T10:00:00Z\n',
    'now',
    '',
    '0',
    '-1795168800',
    '1795168800.5.5',
    '123456789012345',
    0,
    -1,
    0.5,
    1e14,
    Number.NaN,
    null,
    true,
  ])('%j is none', (time) => {
    expect(fault({ time })).toBe('time')
  })
})

describe('texts and choices', () => {
  test.each([
    [{ resource: '' }, 'resource'],
    [{ resource: 7 }, 'resource'],
    [{ resource: 'x'.repeat(257) }, 'resource'],
    [{ resource: 'x'.repeat(256) }, ''],
    [{ id: '' }, ''],
    [{ id: null }, ''],
    [{ id: 7 }, 'id'],
    [{ id: { a: 1 } }, 'id'],
    [{ direction: 'OUT' }, 'direction'],
    [{ direction: '' }, 'direction'],
    [{ direction: 'up' }, 'direction'],
    [{ note: 'fields that no meter knows are left alone' }, ''],
  ])('%j: field %j is at fault', (changes, field) => {
    expect(fault(changes)).toBe(field)
  })

  test.each([
    [{ billingRegion: 'apac1' }, ''],
    [{ billingRegion: 'apac1', area: 'abroad' }, ''],
    [{ billingRegion: 'apac1', area: '' }, ''],
    [{ billingRegion: 'apac1', area: null }, ''],
    [{ billingRegion: '', area: 'cn' }, ''],
    [{ billingRegion: null, area: 'cn' }, ''],
    [{ billingRegion: 'cn', area: 'cn' }, ''],
    [{ billingRegion: 'abroad', area: 'abroad' }, ''],
    [{ billingRegion: 'apac1', area: 'cn' }, 'billingRegion must not be apac1 where area is cn'],
    [{ billingRegion: 'abroad', area: 'cn' }, 'billingRegion must not be abroad where area is cn'],
    [{ billingRegion: 'cn', area: 'abroad' }, 'billingRegion must not be cn where area is abroad'],
    [{ area: 'mars', billingRegion: 'cn' }, 'area must be one of abroad, cn'],
    [
      { area: 'cn', billingRegion: 'Apac1' },
      'billingRegion must be one of abroad, cn, apac1, apac2, apac3, eu-na, me-africa, latam',
    ],
  ])('a place of %j: %s', (place, want) => {
    const record = { time: EIP.time, resource: 'a.example', bytesOut: 1, ...place }
    const found = checkRecord(record, RECORD_FIELDS.cdn)
    expect(found === undefined ? '' : `${found.field} ${found.problem}`).toBe(want)
  })

  test('a numeric choice may be sent as number or text', () => {
    const mna = {
      time: 1_795_168_800,
      resource: 'd',
      direction: 'up',
      accessRegion: 'MC',
      bytes: 1,
    }
    const check = (gatewayType: unknown): string =>
      checkRecord({ ...mna, gatewayType }, RECORD_FIELDS.mna)?.field ?? ''
    expect(['0', 0, '1', 1, '', null].map(check)).toEqual(['', '', '', '', '', ''])
    expect(['2', 2, 0.5, true, '01'].map(check)).toEqual(Array(5).fill('gatewayType'))
  })
})

test.each([null, 7, 'text', true, [EIP]])('%j is no record', (value) => {
  expect(checkRecord(value, RECORD_FIELDS.eip)).toEqual({
    field: '',
    problem: 'must be a JSON object',
  })
})

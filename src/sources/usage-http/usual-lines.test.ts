import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RECORD_FIELDS, TEXT_LENGTH_MAX } from '../../meters/records.ts'
import { checkRecord } from './record.ts'
import { createUsualLines } from './usual-lines.ts'

const FIELDS = RECORD_FIELDS.cdn
const LINE =
  '{"id":"e-1","time":"2026-11-20T11:59:59.123Z","resource":"a.example","bytesOut":12,"area":"cn"}\n'

function learned(line = LINE) {
  const usual = createUsualLines(FIELDS)
  usual.learn(JSON.parse(line) as Record<string, unknown>)
  return usual
}

/** LINE with one part of it replaced. */
function vary(part: string, by: string): string {
  if (!LINE.includes(part)) throw new Error(`${part} is not in the line`)
  return LINE.replace(part, by)
}

describe('a record laid out like a learned one is recognised', () => {
  test.each([
    ['the same', LINE],
    ['other values', vary('12,', '1125899906842,')],
    ['an offset instead of Z', vary('59.123Z', '59+08:00')],
    ['epoch seconds', vary('"2026-11-20T11:59:59.123Z"', '1795176000')],
    ['the 31st of a long month', vary('11-20', '12-31')],
    ['a space after each comma and colon', LINE.replaceAll(',"', ', "').replaceAll('":', '": ')],
    ['a carriage return before the line feed', LINE.replace('\n', '\r\n')],
  ])('%s', (_, line) => {
    expect(learned().endOf(`${line}next`, 0)).toBe(line.length)
    expect(learned().endOf(`before\n${line}`, 7)).toBe(7 + line.length)
  })
})

describe('anything else is left to the parser', () => {
  test.each([
    ['no line feed', LINE.trimEnd()],
    ['another order', LINE.replace('"id":"e-1",', '').replace('}', ',"id":"e-1"}')],
    ['an unknown field', vary('"area"', '"colour":"red","area"')],
    ['a field twice', vary('"area"', '"bytesOut":13,"area"')],
    ['an escape', vary('e-1', 'e\\u002d1')],
    ['a quote', vary('e-1', 'e"1')],
    ['text beyond ASCII', vary('e-1', 'é-1')],
    ['a control character', vary('e-1', 'e\t1')],
    ['a text that is too long', vary('e-1', 'x'.repeat(TEXT_LENGTH_MAX + 1))],
    ['an empty resource', vary('a.example', '')],
    ['a negative quantity', vary('12,', '-12,')],
    ['a fraction', vary('12,', '12.5,')],
    ['a leading zero', vary('12,', '012,')],
    ['a quantity near the limit', vary('12,', '1125899906842625,')],
    ['30 February', vary('11-20', '02-30')],
    ['31 November', vary('11-20', '11-31')],
    ['a time without offset', vary('123Z', '123')],
    ['an unknown choice', vary('"cn"', '"mars"')],
    ['something behind it', LINE.replace('\n', ' x\n')],
  ])('%s', (_, line) => {
    expect(learned().endOf(line, 0)).toBe(-1)
  })

  test('before anything was learned', () => {
    expect(createUsualLines(FIELDS).endOf(LINE, 0)).toBe(-1)
  })

  test('a layout in which two fields may contradict each other is not learned', () => {
    const line = vary('"area":"cn"', '"area":"cn","billingRegion":"cn"')
    expect(learned(line).endOf(line, 0)).toBe(-1)
    const alone = vary('"area":"cn"', '"billingRegion":"apac1"')
    expect(learned(alone).endOf(alone, 0)).toBe(alone.length)
  })

  test('a layout with an unknown field is not learned', () => {
    const line = vary('"area"', '"colour":"red","area"')
    expect(learned(line).endOf(line, 0)).toBe(-1)
  })
})

test('what is recognised is always a record that the check accepts', () => {
  const usual = learned()
  const edits = fc.array(
    fc.record({ at: fc.nat(LINE.length - 2), text: fc.string({ maxLength: 3 }), cut: fc.nat(3) }),
    { maxLength: 3 },
  )
  fc.assert(
    fc.property(edits, (changes) => {
      let line = LINE
      for (const { at, text, cut } of changes)
        line = line.slice(0, at) + text + line.slice(at + cut)
      const end = usual.endOf(line, 0)
      if (end === -1) return
      expect(checkRecord(JSON.parse(line.slice(0, end)), FIELDS)).toBeUndefined()
      expect(line.slice(0, end).indexOf('\n')).toBe(end - 1)
    }),
    { numRuns: 2000 },
  )
})

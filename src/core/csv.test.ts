import { expect, test } from 'vitest'
import { formatCsvRows } from './csv.ts'

test.each([
  ['plain', 'plain'],
  ['a,b', '"a,b"'],
  ['say "so"', '"say ""so"""'],
  ['two\nlines', '"two\nlines"'],
  ['=1+1', `'=1+1`],
  ['+49 30', `'+49 30`],
  ['-5', `'-5`],
  ['@SUM(A1)', `'@SUM(A1)`],
  ['  =1+1', `'  =1+1`],
  ['＝1', `'＝1`],
  ['\t=1', `'\t=1`],
  ['=HYPERLINK("http://x","y")', `"'=HYPERLINK(""http://x"",""y"")"`],
  ['北京', '北京'],
])('the text %j is written so that no spreadsheet runs it', (text, written) => {
  expect(formatCsvRows([[{ text }]])).toBe(`${written}\r\n`)
})

test('numbers stay numbers, also negative ones, and nothing is an empty cell', () => {
  expect(formatCsvRows([[{ number: '-150.00' }, null, { text: 'x' }], [{ number: '1' }]])).toBe(
    '-150.00,,x\r\n1\r\n',
  )
})

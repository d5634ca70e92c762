import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { FOCUS_COLUMNS } from '../src/billing/focus-columns.ts'
import { METER_NAMES } from '../src/meters/meter.ts'
import { exportColumns } from '../src/store/usage/usage-export.ts'

const PAGE = readFileSync(
  fileURLToPath(new URL('../docs/reference/exports.md', import.meta.url)),
  'utf8',
)

/** Rows of the table below a heading: name, type, text. */
function tableBelow(heading: string): (readonly string[])[] {
  const [, after = ''] = PAGE.split(`\n${heading}\n`)
  const [section = ''] = after.split(/\n#{2,3} /)
  return section
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => /^\| `(\w+)` \| (\w+) \| (.*) \|$/.exec(line)?.slice(1) ?? [line])
}

test('exports.md lists every column of the FOCUS export, and no other', () => {
  const known = FOCUS_COLUMNS.map(({ name, type, doc }) => [name, type, doc])
  expect(tableBelow('### FOCUS')).toEqual(known)
})

test.each(METER_NAMES)('exports.md lists every column of exported %s usage', (meter) => {
  const known = exportColumns(meter).map(({ name, type, doc }) => [name, type, doc])
  expect(tableBelow(`### \`${meter}\``)).toEqual(known)
})

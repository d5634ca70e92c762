import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { assert, ERRORS } from '../src/core/errors.ts'
import { REPLAYABLE } from '../src/ingest/replay.ts'
import { METER_NAMES } from '../src/meters/meter.ts'
import { RECORD_FIELDS } from '../src/meters/records.ts'
import { REJECT_REASONS } from '../src/meters/reject-reasons.ts'
import { ROOMS } from './support/tidy-rooms.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

function page(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

/** Cells of the tables in a text, without code marks; header rows left out. */
function rowsOf(text: string): string[][] {
  const lines = text.split('\n').filter((line) => line.startsWith('| '))
  return lines
    .filter((line) => line.startsWith('| `'))
    .map((line) => line.split('|').slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim().replaceAll('`', '')))
}

/** The text under a heading, up to the next of the same rank. */
function section(text: string, heading: string): string {
  const start = text.indexOf(`\n${heading}\n`)
  assert(start !== -1, `there is no heading ${heading}`)
  const end = text.indexOf(`\n${heading.split(' ')[0]} `, start + heading.length)
  return text.slice(start, end === -1 ? undefined : end)
}

describe('reference pages say what the code does', () => {
  test('errors.md lists every error with its answer in every dialect, and no other', () => {
    const told = rowsOf(page('docs/reference/errors.md')).map(([code, http, ucloud, tencent]) => [
      code,
      { http: Number(http), ucloud: Number(ucloud), tencent },
    ])
    expect(told).toEqual(Object.entries(ERRORS))
  })

  test.each(METER_NAMES)(
    'usage-records.md lists every field of a %s record, and no other',
    (meter) => {
      const told = rowsOf(section(page('docs/reference/usage-records.md'), `## \`${meter}\``))
      const known = RECORD_FIELDS[meter].map(({ name, type, required, doc }) => [
        name,
        type,
        required ? 'yes' : 'no',
        doc,
      ])
      expect(told).toEqual(known)
    },
  )

  test('usage-records.md lists every reason why a record is refused, and which are replayed', () => {
    const told = rowsOf(section(page('docs/reference/usage-records.md'), '## Reasons'))
    expect(told.map(([reason, , replayed]) => [reason, replayed])).toEqual(
      REJECT_REASONS.map((reason) => [reason, REPLAYABLE.includes(reason) ? 'yes' : 'no']),
    )
  })

  test('ARCHITECTURE.md shows the rooms and their imports as they are enforced', () => {
    const told = rowsOf(section(page('ARCHITECTURE.md'), '## Rooms'))
    const known = Object.entries(ROOMS).map(([room, { values, types }]) => [
      room,
      values.join(' '),
      types.join(' '),
    ])
    expect(told.map(([room, , values, types]) => [room, values, types])).toEqual(known)
  })
})

describe('every page', () => {
  const pages = [
    ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
    ...(readdirSync(join(ROOT, 'docs'), { recursive: true }) as string[])
      .filter((name) => name.endsWith('.md'))
      .map((name) => `docs/${name.replaceAll('\\', '/')}`),
  ]

  test.each(pages)('%s has one title, and links that lead somewhere', (path) => {
    const text = page(path).replace(/```[^]*?```/g, '')
    expect(text.match(/^# /gm)).toHaveLength(1)
    const targets = [...text.matchAll(/\]\((?!https?:|mailto:)([^)#]+)[^)]*\)/g)]
    const dead = targets.filter(
      ([, target]) => !existsSync(join(ROOT, dirname(path), target ?? '')),
    )
    expect(dead.map(([, target]) => target)).toEqual([])
  })

  test('every file that ARCHITECTURE.md names is there', () => {
    const named = [...page('ARCHITECTURE.md').matchAll(/`([\w./-]+\.ts)`/g)].map(
      ([, name]) => name ?? '',
    )
    const gone = named.filter(
      (name) => !existsSync(join(ROOT, name)) && !existsSync(join(ROOT, 'src', name)),
    )
    expect(gone.filter((name) => !name.includes('*'))).toEqual([])
  })

  test('ARCHITECTURE.md is short enough to be read', () => {
    expect(page('ARCHITECTURE.md').split('\n').length).toBeLessThanOrEqual(300)
  })
})

import { expect, test } from 'vitest'
import { createRecentContent } from './recent-content.ts'

const MIB = 1 << 20
const NOW_MS = Date.UTC(2026, 10, 20)

function text(found: readonly Buffer[]): string[] {
  return found.map((bytes) => bytes.toString())
}

function create() {
  const recent = createRecentContent()
  return {
    ...recent,
    add(content: object, offset: number, bytes: string | Buffer, nowMs = NOW_MS, headHash = 'h') {
      recent.note({ content, headHash, offset, bytes: Buffer.from(bytes), nowMs })
    },
  }
}

test('finds any stretch of what was added, over the blocks', () => {
  const recent = create()
  const content = {}
  recent.add(content, 10, 'abc')
  recent.add(content, 13, 'de')
  recent.add(content, 15, 'f')
  expect(text(recent.find('h', 10, 16))).toEqual(['abcdef'])
  expect(text(recent.find('h', 11, 14))).toEqual(['bcd'])
  expect(text(recent.find('h', 15, 15))).toEqual([''])
  expect(recent.find('h', 9, 12)).toEqual([])
  expect(recent.find('h', 12, 17)).toEqual([])
  expect(recent.find('other', 11, 14)).toEqual([])
})

test('of two contents with the same first line both are told', () => {
  const recent = create()
  recent.add({}, 0, 'abc')
  recent.add({}, 0, 'abd')
  expect(text(recent.find('h', 1, 3))).toEqual(['bc', 'bd'])
})

test('what does not continue begins anew', () => {
  const recent = create()
  const content = {}
  recent.add(content, 0, 'abc')
  recent.add(content, 1, 'xyz')
  expect(text(recent.find('h', 1, 4))).toEqual(['xyz'])
  expect(recent.find('h', 0, 3)).toEqual([])
})

test('a block that the caller reuses is kept as it was', () => {
  const recent = create()
  const bytes = Buffer.from('abc')
  recent.note({ content: {}, headHash: 'h', offset: 0, bytes, nowMs: NOW_MS })
  bytes.fill('x')
  expect(text(recent.find('h', 0, 3))).toEqual(['abc'])
})

test('keeps the last 8 MiB of a content', () => {
  const recent = create()
  const content = {}
  for (let at = 0; at < 20; at += 1) recent.add(content, at * MIB, Buffer.alloc(MIB, at))
  expect(recent.find('h', 12 * MIB - 1, 20 * MIB)).toEqual([])
  const [found] = recent.find('h', 12 * MIB, 20 * MIB)
  expect(found?.length).toBe(8 * MIB)
  expect([found?.[0], found?.at(-1)]).toEqual([12, 19])
})

test('keeps 64 MiB of all; the content that was not added to for longest goes', () => {
  const recent = create()
  const contents = Array.from({ length: 8 }, () => ({}))
  const block = Buffer.alloc(8 * MIB)
  for (const [at, content] of contents.entries()) recent.add(content, 0, block, NOW_MS, `h${at}`)
  recent.add(contents[0] ?? {}, 8 * MIB, 'a', NOW_MS, 'h0')
  recent.add({}, 0, block, NOW_MS, 'h8')
  const isKept = (at: number): boolean => recent.find(`h${at}`, 8 * MIB, 8 * MIB).length > 0
  expect([0, 1, 2, 8].map(isKept)).toEqual([true, false, true, true])
})

test('forgets after ten minutes', () => {
  const recent = create()
  recent.add({}, 0, 'abc')
  recent.add({}, 0, 'x', NOW_MS + 599_999, 'other')
  expect(recent.find('h', 0, 3)).toHaveLength(1)
  recent.add({}, 0, 'x', NOW_MS + 600_000, 'other')
  expect(recent.find('h', 0, 3)).toEqual([])
})

import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { type CutChunk, LineCutter } from './line-cutter.ts'
import { LINE_BYTES_MAX } from './sink.ts'

function sha256(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('hex')
}

function cutAll(pieces: readonly Buffer[], cutAfter: ReadonlySet<number> = new Set()): CutChunk[] {
  const cutter = new LineCutter(0, { afterUnfinishedLine: false })
  const chunks: (CutChunk | null)[] = []
  for (const [index, piece] of pieces.entries()) {
    const block = Buffer.from(piece)
    cutter.push(block)
    block.fill(0x2a)
    if (cutAfter.has(index)) chunks.push(kept(cutter.cut()))
  }
  chunks.push(cutter.cutAll())
  return chunks.filter((chunk) => chunk !== null)
}

/** A chunk to keep: the cutter writes over its body. */
function kept(chunk: CutChunk | null): CutChunk | null {
  return chunk && { ...chunk, body: Buffer.from(chunk.body) }
}

/** Splits at the given places. */
function split(content: Buffer, places: readonly number[]): Buffer[] {
  const cuts = [
    0,
    ...places.map((at) => at % (content.length + 1)).sort((a, b) => a - b),
    content.length,
  ]
  return cuts.slice(1).map((end, index) => content.subarray(cuts[index], end))
}

test('however the bytes arrive, chunks cover them without gap, and their hashes are those of the content', () => {
  const line = fc.string({ unit: fc.constantFrom('a', 'b', '\r', '\x00', '\xff'), maxLength: 6 })
  const property = fc.property(
    fc.array(line, { maxLength: 30 }),
    fc.boolean(),
    fc.array(fc.nat(), { maxLength: 12 }),
    fc.uniqueArray(fc.nat(12)),
    (lines, endsWithLf, places, cuts) => {
      const content = Buffer.from(
        lines.join('\n') + (endsWithLf && lines.length > 0 ? '\n' : ''),
        'latin1',
      )
      const chunks = cutAll(split(content, places), new Set(cuts))
      let offset = 0
      for (const chunk of chunks) {
        expect(chunk.offset).toBe(offset)
        offset += chunk.length
        expect(chunk.sha256).toBe(sha256(content.subarray(chunk.offset, offset)))
      }
      expect(offset).toBe(content.length)
      const whole =
        content.length === 0 || content.at(-1) === 10
          ? content
          : Buffer.concat([content, Buffer.from('\n')])
      expect(Buffer.concat(chunks.map(({ body }) => body))).toEqual(whole)
      expect(chunks.reduce((sum, chunk) => sum + chunk.lines, 0)).toBe(
        whole.filter((byte) => byte === 10).length,
      )
    },
  )
  fc.assert(property, { numRuns: 500 })
})

const LONG = 'x'.repeat(LINE_BYTES_MAX + 1)
const LONGEST_ALLOWED = 'y'.repeat(LINE_BYTES_MAX)

test.each([
  ['in one piece', []],
  [
    'in many pieces',
    [
      2,
      3,
      5,
      4000,
      5000,
      LINE_BYTES_MAX,
      LINE_BYTES_MAX + 2,
      LINE_BYTES_MAX + 6,
      LINE_BYTES_MAX + 7,
    ],
  ],
])('a line that is too long is cut out with its beginning, %s', (_, places) => {
  const content = Buffer.from(`ab\n${LONG}\ncd\n`)
  const [chunk, ...more] = cutAll(split(content, places))
  expect(more).toEqual([])
  expect(chunk?.body.toString()).toBe('ab\ncd\n')
  expect(chunk?.lines).toBe(2)
  expect(chunk?.length).toBe(content.length)
  expect(chunk?.sha256).toBe(sha256(content))
  expect(chunk?.oversize).toEqual([
    { offset: 3, length: LINE_BYTES_MAX + 2, head: 'x'.repeat(4096) },
  ])
})

test('the longest allowed line is taken in, also across pieces', () => {
  const content = Buffer.from(`ab\n${LONGEST_ALLOWED}\ncd`)
  for (const places of [[], [10, 500_000], [content.length - 3], [content.length - 2]]) {
    const [chunk] = cutAll(split(content, places))
    expect(chunk?.oversize).toEqual([])
    expect(chunk?.lines).toBe(3)
  }
})

test('a cut inside a line that is too long leaves that line whole for the next chunk', () => {
  const pieces = [`ab\n${LONG}`, LONG, `${LONG}\ncd\n`].map((text) => Buffer.from(text))
  const chunks = cutAll(pieces, new Set([0, 1]))
  expect(chunks.map(({ offset, length, lines }) => [offset, length, lines])).toEqual([
    [0, 3, 1],
    [3, 3 * LONG.length + 4, 1],
  ])
  const content = Buffer.concat(pieces)
  expect(chunks[1]?.sha256).toBe(sha256(content.subarray(3)))
  expect(chunks[1]?.oversize[0]).toMatchObject({ offset: 3, length: 3 * LONG.length + 1 })
})

test('a last line that is too long and has no LF is cut out too', () => {
  const [chunk] = cutAll([Buffer.from(LONG)])
  expect(chunk).toMatchObject({ lines: 0, length: LONG.length })
  expect(chunk?.oversize).toHaveLength(1)
})

test('the LF of a line that was taken without it is no empty line', () => {
  const cutter = new LineCutter(7, { afterUnfinishedLine: true })
  cutter.push(Buffer.from('\nab\n'))
  expect(cutter.cut()).toMatchObject({ offset: 7, length: 4, lines: 1, sha256: sha256('\nab\n') })
})

test('what is skipped is forgotten, and its lines are counted', () => {
  const cutter = new LineCutter(0, { afterUnfinishedLine: false })
  cutter.push(Buffer.from('ab\ncd\nef'))
  expect(cutter.digest()).toBe(sha256('ab\ncd\nef'))
  expect(cutter.skip()).toBe(3)
  cutter.push(Buffer.from('\ngh\n'))
  expect(cutter.cut()).toMatchObject({ offset: 8, length: 4, lines: 1 })
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeEntry, encodeEntry, findLaterGroup, sealEntry, type Entry } from './journal-entry.ts'

const text = fc.string({ unit: 'binary', maxLength: 40 })
const seqs = fc.array(fc.nat(), { maxLength: 5 })

const frame = fc.record({
  t: fc.constant('frame' as const),
  seq: fc.nat(),
  meta: fc.record({
    source: text,
    meter: fc.constantFrom('cdn', 'eip', 'mna'),
    reading: fc.constant({ kind: 'records' as const }),
    receivedMs: fc.nat(),
    lines: fc.nat(),
    onlyAccount: fc.option(text),
    file: fc.constant(null),
    oversize: fc.array(fc.record({ offset: fc.nat(), length: fc.nat(), head: text }), {
      maxLength: 2,
    }),
    idempotencyKey: fc.option(text),
    replays: fc.constant([]),
  }),
  body: fc.constant({ kind: 'inline' as const }),
})
const mark = fc.oneof(
  fc.record({
    t: fc.constant('plan' as const),
    batch: fc.nat(),
    attempt: fc.nat(),
    frames: seqs,
  }),
  fc.record({ t: fc.constant('inserted' as const), batch: fc.nat(), outcomes: fc.constant([]) }),
  fc.record({ t: fc.constant('done' as const), batch: fc.nat(), frames: seqs }),
)
const entry: fc.Arbitrary<Entry> = fc.oneof(frame as fc.Arbitrary<Entry>, mark)
const body = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes))

function sealed(value: Entry, lines: Buffer, groupOffset = 0): Buffer {
  const bytes = encodeEntry(value, lines)
  sealEntry(bytes, groupOffset)
  return bytes
}

describe('a journal entry', () => {
  test('reads back as it was written, wherever it lies', () => {
    fc.assert(
      fc.property(entry, body, fc.nat(100), fc.nat(0xffffffff), (value, lines, before, group) => {
        const written = sealed(value, lines, group)
        const segment = Buffer.concat([Buffer.alloc(before), written, Buffer.from('WEIR')])
        const found = decodeEntry(segment, before)
        expect(found?.entry).toEqual(JSON.parse(JSON.stringify(value)))
        expect(found?.groupOffset).toBe(group)
        expect(found?.end).toBe(before + written.length)
        const { bodyOffset = 0, bodyLength = 0 } = found ?? {}
        expect(segment.subarray(bodyOffset, bodyOffset + bodyLength).equals(lines)).toBe(true)
      }),
    )
  })

  test('any changed byte is noticed', () => {
    fc.assert(
      fc.property(
        entry,
        body,
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (value, lines, at, x) => {
          const written = sealed(value, lines)
          const index = at % written.length
          written[index] = (written[index] ?? 0) ^ x
          expect(decodeEntry(written, 0)).toBeUndefined()
        },
      ),
      { numRuns: 2000 },
    )
  })

  test('any missing end is noticed', () => {
    fc.assert(
      fc.property(entry, body, fc.nat(), (value, lines, at) => {
        const written = sealed(value, lines)
        expect(decodeEntry(written.subarray(0, at % written.length), 0)).toBeUndefined()
      }),
    )
  })

  test('an entry that was never sealed is not taken for whole', () => {
    expect(decodeEntry(encodeEntry({ t: 'done', batch: 1, frames: [] }, Buffer.alloc(0)), 0)).toBe(
      undefined,
    )
  })
})

describe('finding what follows damage', () => {
  const done = (batch: number): Entry => ({ t: 'done', batch, frames: [] })
  const none = Buffer.alloc(0)
  const torn = sealed(done(1), none, 100).subarray(5)

  test('an entry of a later group proves that synced bytes were lost', () => {
    const later = sealed(done(2), none, 100 + torn.length)
    const segment = Buffer.concat([Buffer.alloc(100), torn, later])
    expect(findLaterGroup(segment, 100)?.entry).toEqual(done(2))
  })

  test('a whole neighbour in the same group does not', () => {
    const neighbour = sealed(done(2), none, 100)
    expect(findLaterGroup(Buffer.concat([Buffer.alloc(100), torn, neighbour]), 100)).toBe(undefined)
  })
})

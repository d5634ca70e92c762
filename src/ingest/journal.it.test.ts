import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { frameMeta, NOW_MS, toBody } from '../../test/support/pipeline.ts'
import type { StoredOutcome } from './journal-entry.ts'
import { INLINE_BYTES_MAX } from './journal-entry.ts'
import { createBodyFiles } from './body-files.ts'
import { Journal } from './journal.ts'
import type { Step } from './steps.ts'

let directory: string
let opened: Journal[]
let warnings: object[]
let steps: Step[]

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'weir-journal-'))
  opened = []
  warnings = []
  steps = []
})

afterEach(async () => {
  for (const journal of opened) await journal.close()
  await rm(directory, { recursive: true, force: true })
})

interface Options {
  readonly bytesMax?: number
  readonly segmentBytes?: number
  readonly nowMs?: number
}

async function open(options: Options = {}): Promise<Journal> {
  const { bytesMax = 1 << 30, segmentBytes = 1 << 30, nowMs = NOW_MS } = options
  const journal = new Journal(
    { directory, bytesMax, segmentBytes },
    {
      clock: { nowMs: () => nowMs },
      onStep: (step) => steps.push(step),
      log: { warn: (details) => warnings.push(details) },
    },
  )
  await journal.open()
  opened.push(journal)
  return journal
}

async function append(journal: Journal, lines: readonly string[], key?: string): Promise<number> {
  const meta = frameMeta({ meter: 'eip', idempotencyKey: key ?? null }, lines.length)
  return await journal.append(meta, toBody(lines))
}

async function bodies(journal: Journal): Promise<string[]> {
  return await Promise.all(
    journal.pending().map(async ({ body: { path, offset, length } }) => {
      const file = await readFile(path)
      return file.subarray(offset, offset + length).toString()
    }),
  )
}

async function segments(): Promise<string[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.wal')).sort()
  return names.map((name) => join(directory, name))
}

async function onlySegment(): Promise<string> {
  const [path, ...more] = await segments()
  expect(more).toEqual([])
  return path ?? ''
}

const outcome = (seq: number): StoredOutcome => ({
  seq,
  lines: 1,
  accepted: 1,
  duplicate: 0,
  rejected: {},
  accounts: [],
  bytes: '1',
})

describe('what was acked', () => {
  test('is there after closing and opening, in order, byte for byte', async () => {
    const journal = await open()
    const large = 'x'.repeat(INLINE_BYTES_MAX)
    const seqs = [
      await append(journal, ['one', 'two'], 'k1'),
      await append(journal, [large]),
      await append(journal, []),
    ]
    await journal.close()
    const again = await open()
    expect(again.pending().map(({ seq }) => seq)).toEqual(seqs)
    expect(again.pending()[0]).toMatchObject({ lines: 2, idempotencyKey: 'k1', source: 'test' })
    expect(await bodies(again)).toEqual(['one\ntwo\n', `${large}\n`, ''])
    expect(again.pendingBytes).toBe(8 + large.length + 1)
  })

  test('survives a last append that was cut at any byte', async () => {
    const journal = await open()
    await append(journal, ['first'])
    const path = await onlySegment()
    const before = (await stat(path)).size
    await append(journal, ['second'])
    await journal.close()
    const whole = await readFile(path)
    for (let length = before; length < whole.length; length += 1) {
      await writeFile(path, whole.subarray(0, length))
      const again = await open()
      expect(await bodies(again)).toEqual(['first\n'])
      // The journal goes on where the torn append began.
      await append(again, ['third'])
      await again.close()
      const third = await open()
      expect(await bodies(third)).toEqual(['first\n', 'third\n'])
      await third.close()
    }
    expect(warnings).toHaveLength(whole.length - before - 1)
  })

  test('is never given up in silence: a damaged byte before a later append is refused', async () => {
    const journal = await open()
    await append(journal, ['first'])
    const path = await onlySegment()
    const end = (await stat(path)).size
    await append(journal, ['second'])
    await journal.close()
    const whole = await readFile(path)
    for (let index = 0; index < end; index += 7) {
      const damaged = Buffer.from(whole)
      damaged[index] = (damaged[index] ?? 0) ^ 0x40
      await writeFile(path, damaged)
      await expect(open()).rejects.toThrow(`${path} is damaged at byte 0`)
      expect((await stat(path)).size).toBe(whole.length)
    }
  })

  test('is never given up in silence: a damaged earlier segment is refused by name', async () => {
    const journal = await open({ segmentBytes: 1 })
    await append(journal, ['first'])
    await append(journal, ['second'])
    await journal.close()
    const [first = '', second = ''] = await segments()
    await truncate(first, (await stat(first)).size - 1)
    await expect(open()).rejects.toThrow(`${first} is damaged at byte 0`)
    expect(second).not.toBe('')
  })

  test.each([
    ['missing', (path: string) => rm(path)],
    ['changed', (path: string) => writeFile(path, 'y'.repeat(INLINE_BYTES_MAX + 1))],
  ])('is never given up in silence: a %s body file is refused by name', async (_, damage) => {
    const journal = await open()
    await append(journal, ['x'.repeat(INLINE_BYTES_MAX)])
    const path = journal.pending()[0]?.body.path ?? ''
    await journal.close()
    await damage(path)
    await expect(open()).rejects.toThrow(path)
  })
})

describe('appends', () => {
  test('that wait for the disk together share one sync, and all are kept', async () => {
    const journal = await open()
    const names = Array.from({ length: 50 }, (_, index) => `line ${index}`)
    const seqs = await Promise.all(names.map((name) => append(journal, [name])))
    expect(new Set(seqs).size).toBe(50)
    expect(steps.filter((step) => step === 'journal.fsync.after')).toHaveLength(1)
    await journal.close()
    expect((await bodies(await open())).sort()).toEqual(names.map((name) => `${name}\n`).sort())
  })

  test('are refused with Retry-After when the journal is full, and taken once it is not', async () => {
    const journal = await open({ bytesMax: 10 })
    const seq = await append(journal, ['12345678'])
    await expect(append(journal, ['x'])).rejects.toMatchObject({
      code: 'overloaded',
      retryAfterSeconds: 5,
    })
    await journal.mark({ t: 'done', batch: seq, frames: [seq] })
    await journal.retire([seq])
    expect(journal.pendingBytes).toBe(0)
    await append(journal, ['x'])
  })

  test('that are under way count towards the limit', async () => {
    const journal = await open({ bytesMax: 10 })
    const results = await Promise.allSettled([
      append(journal, ['12345678']),
      append(journal, ['12345678']),
    ])
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
  })

  test('get numbers that grow across restarts, even when the clock jumps back', async () => {
    const seqs: number[] = []
    for (const nowMs of [NOW_MS, NOW_MS - 3_600_000, NOW_MS + 60_000, 0]) {
      const journal = await open({ nowMs })
      const seq = await append(journal, ['x'])
      seqs.push(seq)
      await journal.mark({ t: 'done', batch: seq, frames: [seq] })
      await journal.retire([seq])
      await journal.close()
    }
    expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b))
    expect(seqs.every(Number.isSafeInteger)).toBe(true)
  })
})

describe('retiring', () => {
  test('frees segments only from the front, so marks never outlive their frames', async () => {
    const journal = await open({ segmentBytes: 1 })
    const seqs = [
      await append(journal, ['1']),
      await append(journal, ['2']),
      await append(journal, ['3']),
    ]
    const [a = 0, b = 0, c = 0] = seqs
    const finish = async (seq: number): Promise<void> => {
      await journal.mark({ t: 'done', batch: seq, frames: [seq] })
      await journal.retire([seq])
    }
    await finish(b)
    expect(await bodies(journal)).toEqual(['1\n', '3\n'])
    expect(await segments()).toHaveLength(4)
    await finish(a)
    expect(await segments()).toHaveLength(3)
    await finish(c)
    expect(await segments()).toHaveLength(1)
    await journal.close()
    expect((await open()).pending()).toEqual([])
  })

  test('begins new segments even when the last one holds marks only', async () => {
    const journal = await open({ segmentBytes: 1 })
    const seq = await append(journal, ['1'])
    for (const attempt of [1, 2, 3, 4]) {
      await journal.mark({ t: 'plan', batch: seq, attempt, frames: [seq] })
    }
    await journal.close()
    const again = await open({ segmentBytes: 1 })
    expect(again.unfinished).toMatchObject({ id: seq, attempt: 4 })
    await append(again, ['2'])
    expect(await bodies(again)).toEqual(['1\n', '2\n'])
  })

  test('removes body files with their frames, and what a crash left behind at the next start', async () => {
    const journal = await open()
    const seq = await append(journal, ['x'.repeat(INLINE_BYTES_MAX)])
    expect((await readdir(directory)).filter((name) => name.endsWith('.body'))).toHaveLength(1)
    await journal.mark({ t: 'done', batch: seq, frames: [seq] })
    await journal.retire([seq])
    await writeFile(join(directory, '17.body'), 'append cut short')
    await writeFile(join(directory, '17-0.lines'), 'load cut short')
    await journal.close()
    await open()
    expect((await readdir(directory)).filter((name) => !name.endsWith('.wal'))).toEqual([])
  })
})

describe('a body file that nobody needs any more', () => {
  const body = (letter: string, length: number): string => letter.repeat(length)
  const names = async (ending: string): Promise<string[]> =>
    (await readdir(directory)).filter((name) => name.endsWith(ending))

  async function finish(journal: Journal, seq: number): Promise<void> {
    await journal.mark({ t: 'done', batch: seq, frames: [seq] })
    await journal.retire([seq])
  }

  test.each([
    ['longer', INLINE_BYTES_MAX * 2],
    ['shorter', INLINE_BYTES_MAX + 1],
  ])('is written again by the next one, a %s one as well', async (_, length) => {
    const journal = await open()
    const first = await append(journal, [body('x', INLINE_BYTES_MAX + 4096)])
    const { ino } = await stat(join(directory, `${first}.body`))
    await finish(journal, first)
    const second = await append(journal, [body('y', length)])
    expect((await stat(join(directory, `${second}.body`))).ino).toBe(ino)
    expect(await bodies(journal)).toEqual([`${body('y', length)}\n`])
    await journal.close()
    const again = await open()
    expect(await bodies(again)).toEqual([`${body('y', length)}\n`])
  })

  test('is kept only until the disk is short of room', async () => {
    const files = createBodyFiles(directory)
    await files.release([await files.write(1, Buffer.from('1\n'))])
    expect(await names('.spare')).toHaveLength(1)
    await files.dropSpares()
    expect(await names('.spare')).toEqual([])
    expect(await files.write(2, Buffer.from('2\n'))).toBe('2.body')
  })
})

describe('an unfinished batch', () => {
  test('is found again with its attempt, and with its outcomes once it was inserted', async () => {
    let journal = await open()
    const seq = await append(journal, ['1'])
    const reopen = async (): Promise<Journal> => {
      await journal.close()
      return await open()
    }
    expect(journal.unfinished).toBeNull()
    await journal.mark({ t: 'plan', batch: seq, attempt: 1, frames: [seq] })
    journal = await reopen()
    expect(journal.unfinished).toEqual({ id: seq, attempt: 1, frames: [seq], outcomes: null })
    await journal.mark({ t: 'plan', batch: seq, attempt: 2, frames: [seq] })
    await journal.mark({ t: 'inserted', batch: seq, outcomes: [outcome(seq)] })
    journal = await reopen()
    expect(journal.unfinished).toEqual({
      id: seq,
      attempt: 2,
      frames: [seq],
      outcomes: [outcome(seq)],
    })
    await journal.mark({ t: 'plan', batch: seq, attempt: 3, frames: [seq] })
    journal = await reopen()
    expect(journal.unfinished).toMatchObject({ attempt: 3, outcomes: null })
    await journal.mark({ t: 'done', batch: seq, frames: [seq] })
    journal = await reopen()
    expect(journal.unfinished).toBeNull()
    expect(journal.pending()).toEqual([])
  })
})

import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { Session } from 'chdb'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { createMemoryLogSink, type MemoryLogSink } from '../../../test/support/memory-log-sink.ts'
import { systemClock } from '../../core/clock.ts'
import { ingestFiles, type IngestDeps, type IngestSummary } from './ingest-file.ts'
import { CHUNK_BYTES_MAX, CHUNK_LINES_MAX, LINE_BYTES_MAX } from './sink.ts'

const root = mkdtempSync(join(tmpdir(), 'weir-files-'))
let directory = root
let count = 0
let sink: MemoryLogSink

beforeEach(() => {
  count += 1
  directory = mkdtempSync(join(root, `${count}-`))
  sink = createMemoryLogSink()
})

afterAll(() => rmSync(root, { recursive: true }))

function file(name: string, content: string | Uint8Array): string {
  const path = join(directory, name)
  writeFileSync(path, content)
  return path
}

function numbered(from: number, to: number): string {
  let text = ''
  for (let number = from; number < to; number += 1) text += `line ${number}\n`
  return text
}

async function ingest(
  paths: readonly string[],
  deps: Partial<IngestDeps> = {},
): Promise<IngestSummary> {
  const spec = {
    format: 'combined',
    domain: 'a.example',
    clientFrom: 'remote_addr',
    timeZone: null,
  } as const
  return ingestFiles(
    { source: 'logs', spec, paths },
    {
      sink,
      clock: systemClock,
      waitForRoom: async () => undefined,
      onProgress: () => undefined,
      stdin: Readable.from([]),
      ...deps,
    },
  )
}

test('a file is taken in once: again, renamed, copied or compressed it is all duplicate', async () => {
  const text = numbered(0, 1000)
  const first = await ingest([file('access.log', text)])
  expect(first).toMatchObject({ files: 1, lines: 1000, accepted: 1000, duplicate: 0, failures: [] })
  for (const copy of [
    file('access.log', text),
    file('access.log.1', text),
    file('access.log.2.gz', gzipSync(text)),
    file('looks-plain', gzipSync(text)),
  ]) {
    expect(await ingest([copy])).toMatchObject({ lines: 1000, accepted: 0, duplicate: 1000 })
  }
  expect(sink.text()).toBe(text)
})

test('between half MiB of a file, what somebody waits for goes first, and nothing gets lost', async () => {
  const text = numbered(0, 300_000)
  let waits = 0
  const giveWay = async (): Promise<void> => {
    waits += 1
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  expect(await ingest([file('large', text)], { giveWay })).toMatchObject({ accepted: 300_000 })
  expect(sink.text()).toBe(text)
  const halves = text.length / (512 << 10)
  expect(waits).toBeGreaterThan(halves * 0.7)
  expect(waits).toBeLessThanOrEqual(halves)
})

test('zstd is read, also when several frames follow each other', async () => {
  const session = new Session(join(directory, 'db'))
  const frames: Uint8Array[] = []
  for (const [from, to] of [
    [0, 30_000],
    [30_000, 50_000],
  ] as const) {
    const path = join(directory, `${from}.zst`)
    const plain = file(String(from), numbered(from, to))
    await session.queryAsync(
      `INSERT INTO FUNCTION file('${path}', LineAsString, 'line String')
       SELECT line FROM file('${plain}', LineAsString, 'line String') SETTINGS max_threads = 1`,
    )
    frames.push(readFileSync(path))
  }
  session.cleanup()
  const whole = Buffer.concat(frames)
  expect(await ingest([file('a.zst', whole)])).toMatchObject({ accepted: 50_000, failures: [] })
  expect(sink.text()).toBe(numbered(0, 50_000))
  const half = file('b.zst', whole.subarray(0, whole.length - 100))
  expect(await ingest([half])).toMatchObject({ failures: [{ error: { code: 'body_malformed' } }] })
})

test('several gzip members in one file are one content', async () => {
  const path = file('a.gz', Buffer.concat([gzipSync(numbered(0, 10)), gzipSync(numbered(10, 20))]))
  await ingest([path])
  expect(sink.text()).toBe(numbered(0, 20))
})

test('a file that grew continues behind what is known, wherever it lies now', async () => {
  await ingest([file('a', numbered(0, 100))])
  expect(await ingest([file('b.gz', gzipSync(numbered(0, 250)))])).toMatchObject({
    accepted: 150,
    duplicate: 100,
  })
  expect(await ingest([file('c', numbered(0, 300))])).toMatchObject({
    accepted: 50,
    duplicate: 250,
  })
  expect(sink.text()).toBe(numbered(0, 300))
  expect(new Set(sink.chunks.map(({ fileId }) => fileId)).size).toBe(1)
})

test('another file with the same first line is another file', async () => {
  await ingest([file('a', `#head\n${numbered(0, 10)}`)])
  await ingest([file('b', `#head\n${numbered(50, 60)}`)])
  expect(sink.text()).toBe(`#head\n${numbered(0, 10)}#head\n${numbered(50, 60)}`)
  expect(new Set(sink.chunks.map(({ fileId }) => fileId)).size).toBe(2)
  for (const [name, text] of [
    ['a', numbered(0, 10)],
    ['b', numbered(50, 60)],
  ]) {
    expect(await ingest([file(name ?? '', `#head\n${text}`)])).toMatchObject({
      accepted: 0,
      duplicate: 11,
    })
  }
})

test('a last line without LF counts, and its LF later is no line of its own', async () => {
  const path = file('a', 'line 0\nline 1')
  expect(await ingest([path])).toMatchObject({ accepted: 2 })
  expect(await ingest([path])).toMatchObject({ accepted: 0, duplicate: 2 })
  appendFileSync(path, '\nline 2\n')
  expect(await ingest([path])).toMatchObject({ accepted: 1, duplicate: 2 })
  expect(sink.text()).toBe('line 0\nline 1\nline 2\n')
  expect(await ingest([path])).toMatchObject({ accepted: 0, duplicate: 3 })
})

test('the rest of a line whose beginning was taken as a last line comes as a line of its own', async () => {
  const path = file('a', 'line 0\nli')
  await ingest([path])
  appendFileSync(path, 'ne 1\nline 2\n')
  await ingest([path])
  expect(sink.text()).toBe('line 0\nli\nne 1\nline 2\n')
  expect(await ingest([path])).toMatchObject({ accepted: 0, duplicate: 4 })
})

test('a truncated gzip is kept up to its last whole line, reported, and completed later', async () => {
  const text = numbered(0, 200_000)
  const whole = gzipSync(text)
  const path = file('a.gz', whole.subarray(0, Math.floor(whole.length / 2)))
  const broken = await ingest([path, file('b', 'other\n')])
  expect(broken.failures).toMatchObject([{ path, error: { code: 'body_malformed' } }])
  expect(broken.accepted).toBeGreaterThan(50_000)
  expect(sink.text().startsWith(numbered(0, broken.accepted - 1))).toBe(true)
  expect(await ingest([path])).toMatchObject({ accepted: 0 })
  expect(await ingest([file('a.gz', whole)])).toMatchObject({
    accepted: 200_001 - broken.accepted,
    failures: [],
  })
  expect(sink.lines()).toBe(200_001)
})

test.each([
  ['gzip', gzipSync(numbered(0, 1000)).fill(0xff, 200, 260)],
  ['zstd', Buffer.from('28b52ffd0458ffffffffffff', 'hex')],
])('damaged %s is reported, not thrown', async (_, content) => {
  const summary = await ingest([file('a', content)])
  expect(summary.failures).toMatchObject([{ error: { code: 'body_malformed' } }])
})

test('files that cannot be read are named; the others are taken in', async () => {
  const missing = join(directory, 'none.log')
  const summary = await ingest([missing, directory, file('a', 'line\n')])
  expect(summary.accepted).toBe(1)
  expect(summary.failures.map(({ error }) => error.message)).toEqual([
    `There is no file ${missing}.`,
    `${directory} is a directory; name the files in it.`,
  ])
})

test('an empty file is nothing', async () => {
  expect(await ingest([file('a', '')])).toMatchObject({ lines: 0, accepted: 0, failures: [] })
})

test('standard input is taken in like a file, compressed or not', async () => {
  const text = numbered(0, 1000)
  const pieces = text.match(/[^]{1,7}/g)?.map((piece) => Buffer.from(piece)) ?? []
  expect(await ingest(['-'], { stdin: Readable.from(pieces) })).toMatchObject({ accepted: 1000 })
  const compressed = gzipSync(text)
  const bytes = [...compressed].map((byte) => Buffer.from([byte]))
  expect(await ingest(['-'], { stdin: Readable.from(bytes) })).toMatchObject({
    accepted: 0,
    duplicate: 1000,
  })
})

test('an overloaded sink is waited for', async () => {
  sink.overload(3)
  const attempts: number[] = []
  await ingest([file('a', numbered(0, 10))], {
    waitForRoom: async (attempt) => void attempts.push(attempt),
  })
  expect(attempts).toEqual([0, 1, 2])
  expect(sink.text()).toBe(numbered(0, 10))
})

test('a large file comes in bounded chunks and resumes after an interruption at any of them', async () => {
  const line = `${'z'.repeat(99)}\n`
  const path = file('a', `first\n${line.repeat(900_000)}`)
  let appends = 0
  const interrupted = {
    ...sink,
    append: async (chunk: Parameters<MemoryLogSink['append']>[0]) => {
      appends += 1
      if (appends === 3) throw new Error('the process dies')
      return sink.append(chunk)
    },
  }
  await expect(ingest([path], { sink: interrupted })).rejects.toThrow('the process dies')
  expect(sink.chunks).toHaveLength(2)
  const summary = await ingest([path])
  expect(summary.lines).toBe(900_001)
  expect(summary.duplicate).toBe(sink.chunks.slice(0, 2).reduce((sum, { lines }) => sum + lines, 0))
  expect(sink.lines()).toBe(900_001)
  for (const chunk of sink.chunks) {
    expect(chunk.body.length).toBeLessThanOrEqual(CHUNK_BYTES_MAX)
    expect(chunk.lines).toBeLessThanOrEqual(CHUNK_LINES_MAX)
  }
})

test('a file of empty lines stays within the limit of lines', async () => {
  await ingest([file('a', `first\n${'\n'.repeat(1_200_000)}`)])
  expect(sink.lines()).toBe(1_200_001)
  for (const chunk of sink.chunks) expect(chunk.lines).toBeLessThanOrEqual(CHUNK_LINES_MAX)
})

test('a line of 1 GiB is cut out without being held', async () => {
  const block = Buffer.alloc(1 << 20, 0x61)
  async function* content(): AsyncGenerator<Buffer> {
    yield Buffer.from('first\n')
    for (let index = 0; index < 1024; index += 1) yield block
    yield Buffer.from('\nlast\n')
  }
  const before = process.memoryUsage().rss
  const summary = await ingest(['-'], { stdin: content() })
  expect(summary).toMatchObject({ lines: 3, accepted: 2, rejected: { line_too_long: 1 } })
  expect(sink.chunks.flatMap(({ oversize }) => oversize)).toMatchObject([
    { offset: 6, length: (1 << 30) + 1 },
  ])
  expect(process.memoryUsage().rss - before).toBeLessThan(200 << 20)
  expect(await ingest(['-'], { stdin: content() })).toMatchObject({ accepted: 0, duplicate: 3 })
}, 60_000)

test('two that take in the same file at the same moment do not both succeed', async () => {
  const path = file('a', numbered(0, 10))
  const slow = {
    ...sink,
    candidates: async (headHash: string) => {
      const known = await sink.candidates(headHash)
      // The other one is quicker, once this one has looked.
      if (sink.chunks.length === 0) await ingest([path])
      return known
    },
  }
  const summary = await ingest([path], { sink: slow })
  expect(summary.failures).toMatchObject([{ error: { code: 'conflict' } }])
  expect(sink.text()).toBe(numbered(0, 10))
  expect(LINE_BYTES_MAX).toBeLessThan(CHUNK_BYTES_MAX)
})

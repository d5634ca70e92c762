import { createHash } from 'node:crypto'
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { createMemoryLogSink, type MemoryLogSink } from '../../../test/support/memory-log-sink.ts'
import { systemClock } from '../../core/clock.ts'
import { createTailer, type Tailer } from './tail.ts'

const root = mkdtempSync(join(tmpdir(), 'weir-tail-'))
let directory = root
let log = ''
let count = 0
let sink: MemoryLogSink
let warnings: string[] = []
let tailers: Tailer[] = []
/** Called between the moment a file is listed and its first look. */
let onFollowing = (): void => undefined
/** What tailers said of how completely they read, in fast time. */
let complete: { startMs: number; endMs: number }[] = []
let lost: { startMs: number; endMs: number; file: string }[] = []

beforeEach(() => {
  count += 1
  directory = join(root, String(count))
  mkdirSync(directory)
  log = join(directory, 'access.log')
  sink = createMemoryLogSink()
  warnings = []
  tailers = []
  onFollowing = () => undefined
  complete = []
  lost = []
})

afterEach(async () => {
  for (const tailer of tailers) await tailer.stop()
})
afterAll(() => rmSync(root, { recursive: true }))

/** Time that runs 30 times as fast, so that a minute of idling is two seconds. */
const fastClock = { nowMs: () => systemClock.nowMs() * 30 }

async function start(paths: readonly string[] = [log]): Promise<Tailer> {
  const spec = {
    format: 'combined',
    domain: 'a.example',
    clientFrom: 'remote_addr',
    timeZone: null,
  } as const
  const tailer = createTailer(
    { name: 'edge', paths, spec, pollIntervalMs: 20, stateDirectory: join(root, `state-${count}`) },
    {
      sink,
      clock: fastClock,
      log: { info: () => onFollowing(), warn: (_, message) => void warnings.push(message) },
      report: {
        complete: (span) => void complete.push(span),
        lost: async (part) => void lost.push(part),
      },
    },
  )
  await tailer.start()
  tailers.push(tailer)
  return tailer
}

async function stop(tailer: Tailer): Promise<void> {
  await tailer.stop()
  tailers = tailers.filter((one) => one !== tailer)
}

/** Waits until this many lines are in, then a little longer for any that should not come. */
async function settled(wanted: number): Promise<void> {
  for (let waited = 0; sink.lines() < wanted && waited < 10_000; waited += 10) await sleep(10)
  await sleep(120)
}

function lines(from: number, to: number): string {
  let text = ''
  for (let number = from; number < to; number += 1) text += `line ${number}\n`
  return text
}

/** What is in, sorted: files are read side by side. */
function taken(): string[] {
  return sink
    .text()
    .split('\n')
    .filter((line) => line !== '')
    .sort()
}

function sorted(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .sort()
}

test('lines are taken as they become whole, in order', async () => {
  await start()
  await sleep(50)
  writeFileSync(log, 'line 0\nli')
  await settled(1)
  expect(sink.text()).toBe('line 0\n')
  appendFileSync(log, 'ne 1\nline 2\n')
  await settled(3)
  expect(sink.text()).toBe(lines(0, 3))
})

test('after a rename the old file is read to its end, and the new one from its start', async () => {
  writeFileSync(log, lines(0, 10))
  await start()
  await settled(10)
  renameSync(log, `${log}.1`)
  // The server writes to the old file until it is told to open the new one.
  appendFileSync(`${log}.1`, lines(10, 15))
  writeFileSync(log, lines(15, 20))
  appendFileSync(`${log}.1`, lines(20, 22))
  await settled(22)
  expect(taken()).toEqual(sorted(lines(0, 22)))
})

test('a file that is renamed and deleted at once is still read to its end', async () => {
  writeFileSync(log, lines(0, 10))
  await start()
  await settled(10)
  appendFileSync(log, lines(10, 20))
  renameSync(log, `${log}.1`)
  unlinkSync(`${log}.1`)
  writeFileSync(log, lines(20, 30))
  await settled(30)
  expect(taken()).toEqual(sorted(lines(0, 30)))
})

test('after copytruncate neither the copy nor the restarted file counts twice, and the end is in the copy', async () => {
  writeFileSync(log, lines(0, 10))
  await start()
  await settled(10)
  // Between two looks: lines, the copy, the truncation, and lines again.
  appendFileSync(log, lines(10, 20))
  copyFileSync(log, `${log}.1`)
  truncateSync(log)
  appendFileSync(log, lines(20, 21))
  await settled(21)
  expect(taken()).toEqual(sorted(lines(0, 21)))
})

test('a file that was overwritten with more than it had is noticed by its beginning', async () => {
  writeFileSync(log, lines(0, 3))
  await start()
  await settled(3)
  writeFileSync(log, lines(3, 100))
  await settled(100)
  expect(taken()).toEqual(sorted(lines(0, 100)))
})

test('in a directory, rotated, renamed and compressed files count once', async () => {
  writeFileSync(log, lines(0, 10))
  await start([directory])
  await settled(10)
  renameSync(log, `${log}.1`)
  writeFileSync(log, lines(10, 20))
  await settled(20)
  renameSync(`${log}.1`, `${log}.2`)
  renameSync(log, `${log}.1`)
  writeFileSync(`${log}.2.gz`, gzipSync(readFileSync(`${log}.2`)))
  unlinkSync(`${log}.2`)
  writeFileSync(log, lines(20, 30))
  await settled(30)
  await sleep(300)
  expect(sink.lines()).toBe(30)
  expect(taken()).toEqual(sorted(lines(0, 30)))
})

test('a compressed file that is new here is taken in once it is complete', async () => {
  const whole = gzipSync(lines(0, 5000))
  await start([join(directory, '*.gz')])
  const path = join(directory, 'old.log.gz')
  writeFileSync(path, whole.subarray(0, 20))
  appendFileSync(path, whole.subarray(20))
  await settled(5000)
  expect(sink.text()).toBe(lines(0, 5000))
})

test('a damaged compressed file is said once and does not disturb the others', async () => {
  await start([directory])
  writeFileSync(join(directory, 'bad.gz'), gzipSync(lines(0, 50_000)).subarray(0, 5000))
  writeFileSync(log, lines(100_000, 100_010))
  await sleep(500)
  appendFileSync(log, lines(100_010, 100_020))
  await sleep(300)
  expect(taken().filter((line) => /^line 1000\d\d$/.test(line))).toHaveLength(20)
  expect(warnings).toHaveLength(1)
})

test('a restart continues where it was, through what was rotated and compressed meanwhile', async () => {
  writeFileSync(`${log}.9`, 'from before\n')
  writeFileSync(log, lines(0, 10))
  const first = await start()
  await settled(10)
  await stop(first)
  // Two rotations while nobody looks.
  appendFileSync(log, lines(10, 20))
  renameSync(log, `${log}.2`)
  await sleep(20)
  writeFileSync(`${log}.1`, lines(20, 30))
  writeFileSync(`${log}.2.gz`, gzipSync(readFileSync(`${log}.2`)))
  unlinkSync(`${log}.2`)
  await sleep(20)
  // gzip keeps the time of the original: the order of writing stands for that here.
  writeFileSync(`${log}.1`, lines(20, 30))
  writeFileSync(log, lines(30, 40))
  await start()
  await settled(40)
  expect(taken()).toEqual(sorted(lines(0, 40)))
})

test('a restart does not read again what it knows by inode and last chunk', async () => {
  writeFileSync(log, lines(0, 1000))
  const first = await start()
  await settled(1000)
  await stop(first)
  let asked = 0
  const before = sink
  sink = {
    ...sink,
    candidates: async (headHash) => {
      asked += 1
      return before.candidates(headHash)
    },
  }
  appendFileSync(log, lines(1000, 1010))
  await start()
  await settled(1010)
  expect(sink.text()).toBe(lines(0, 1010))
  expect(asked).toBeGreaterThan(0)
})

test('without its memory a restart finds everything by content', async () => {
  writeFileSync(log, lines(0, 1000))
  const first = await start()
  await settled(1000)
  await stop(first)
  rmSync(join(root, `state-${count}`), { recursive: true })
  appendFileSync(log, lines(1000, 1010))
  await start()
  await settled(1010)
  expect(sink.text()).toBe(lines(0, 1010))
})

test('while the journal is full reading waits; nothing is lost', async () => {
  sink.overload(3)
  await start()
  writeFileSync(log, lines(0, 10))
  await settled(10)
  expect(sink.text()).toBe(lines(0, 10))
  expect(warnings).toEqual(['the journal is full; reading waits'])
})

test('a failure before or after a chunk became durable neither loses nor doubles it', async () => {
  const before = sink
  let calls = 0
  sink = {
    ...sink,
    append: async (chunk) => {
      calls += 1
      if (calls === 2) throw new Error('the disk is gone')
      const answer = await before.append(chunk)
      if (calls === 4) throw new Error('the answer is lost')
      return answer
    },
  }
  await start()
  for (let batch = 0; batch < 8; batch += 1) {
    appendFileSync(log, lines(batch * 10, batch * 10 + 10))
    await sleep(60)
  }
  await settled(80)
  expect(sink.text()).toBe(lines(0, 80))
  expect(warnings).toHaveLength(2)
})

test('the last line of a rotated file counts without its LF once the file is let go', async () => {
  writeFileSync(log, 'line 0\nline 1')
  await start()
  await settled(1)
  expect(sink.lines()).toBe(1)
  renameSync(log, join(directory, 'gone'))
  await settled(2)
  expect(sink.text()).toBe('line 0\nline 1\n')
}, 20_000)

test('patterns mean files in any part of the path, hidden files left out', async () => {
  for (const site of ['a', 'b']) {
    mkdirSync(join(directory, site))
    writeFileSync(join(directory, site, 'access.log'), `line ${site}\n`)
    writeFileSync(join(directory, site, 'error.log'), 'no\n')
    writeFileSync(join(directory, site, '.access.log'), 'no\n')
  }
  await start([join(directory, '*', '?ccess.log')])
  await settled(2)
  expect(taken()).toEqual(['line a', 'line b'])
})

/** What logrotate does: older generations move up, and the log is copied and truncated. */
function copyTruncate(): void {
  for (let generation = 8; generation >= 1; generation -= 1) {
    const name = `${log}.${generation}`
    if (existsSync(name)) renameSync(name, `${log}.${generation + 1}`)
  }
  copyFileSync(log, `${log}.1`)
  truncateSync(log)
}

test('a second copytruncate while the first is being noticed loses nothing', async () => {
  writeFileSync(log, lines(0, 10))
  const before = sink
  sink = {
    ...sink,
    append: async (chunk) => {
      const answer = await before.append(chunk)
      // What came after the first one is read now; the end of what was before is not.
      if (chunk.body.includes('line 20\n')) {
        copyTruncate()
        appendFileSync(log, lines(30, 40))
      }
      return answer
    },
  }
  await start()
  await settled(10)
  appendFileSync(log, lines(10, 20))
  copyTruncate()
  appendFileSync(log, lines(20, 30))
  await settled(40)
  expect(taken()).toEqual(sorted(lines(0, 40)))
})

test.each(['goes on', 'is restarted'])(
  'a file that was rotated before its first look is found beside the log when the tailer %s',
  async (what) => {
    writeFileSync(log, lines(0, 10))
    let tailer = await start()
    await settled(10)
    onFollowing = () => {
      onFollowing = () => undefined
      // The new file is listed, but nothing of it was read yet. Only one generation is kept.
      unlinkSync(`${log}.1`)
      copyFileSync(log, `${log}.1`)
      truncateSync(log)
      appendFileSync(log, lines(30, 50))
    }
    if (what === 'is restarted') await stop(tailer)
    renameSync(log, `${log}.1`)
    writeFileSync(log, lines(20, 30))
    if (what === 'is restarted') tailer = await start()
    await settled(40)
    expect(tailer.files().length).toBeGreaterThan(1)
    expect(taken()).toEqual(sorted(lines(0, 10) + lines(20, 50)))
  },
)

test('a file that is overwritten while it is read is not read on in the middle', async () => {
  const long = (from: number, to: number): string =>
    lines(from, to).replaceAll('\n', `${'x'.repeat(1000)}\n`)
  writeFileSync(log, long(0, 3000))
  const before = sink
  let isRotated = false
  sink = {
    ...sink,
    candidates: async (headHash) => {
      // The first of several blocks was read.
      if (!isRotated) {
        copyTruncate()
        appendFileSync(log, long(3000, 7000))
      }
      isRotated = true
      return before.candidates(headHash)
    },
  }
  await start()
  await settled(4000)
  // The part of the old content that was read may count or not: it was there before the first look.
  const all = taken()
  expect(all.filter((line) => !line.endsWith('x'))).toEqual([])
  expect(new Set(all).size).toBe(all.length)
  const wanted = new Set(sorted(long(3000, 7000)))
  expect(all.filter((line) => wanted.has(line))).toHaveLength(wanted.size)
})

test('after a conflict it starts over behind what is known', async () => {
  const before = sink
  let theirs = false
  sink = {
    ...sink,
    append: async (chunk) => {
      if (!theirs && chunk.offset > 0) {
        theirs = true
        // Somebody else was quicker with the first line of this chunk.
        const body = chunk.body.subarray(0, chunk.body.indexOf(10) + 1)
        const sha256 = createHash('sha256').update(body).digest('hex')
        await before.append({ ...chunk, body, length: body.length, lines: 1, sha256 })
      }
      return before.append(chunk)
    },
  }
  writeFileSync(log, lines(0, 10))
  await start()
  await settled(10)
  appendFileSync(log, lines(10, 20))
  await settled(20)
  expect(sink.text()).toBe(lines(0, 20))
  expect(warnings).toHaveLength(1)
})

test.each([1, 2, 3])(
  'whatever a writer and a rotation do, each line counts once (seed %d)',
  async (seed) => {
    let state = seed * 7919
    const random = (below: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0
      return Math.floor((state / 2 ** 32) * below)
    }
    let written = ''
    let next = 0
    const write = (path: string): void => {
      const text = lines(next, next + 1 + random(50))
      next = Number(/line (\d+)\n$/.exec(text)?.[1]) + 1
      written += text
      const at = random(text.length)
      appendFileSync(path, text.slice(0, at))
      appendFileSync(path, text.slice(at))
    }
    const rotate = (): void => {
      for (let generation = 8; generation >= 1; generation -= 1) {
        const name = `${log}.${generation}`
        if (existsSync(name)) renameSync(name, `${log}.${generation + 1}`)
      }
    }
    let tailer = await start()
    write(log)
    // What is rotated before the first look at all is from before Weir.
    await settled(next)
    for (let step = 0; step < 60; step += 1) {
      const kind = random(10)
      if (kind < 6) write(log)
      else if (kind === 6) {
        rotate()
        renameSync(log, `${log}.1`)
        write(`${log}.1`)
        write(log)
      } else if (kind === 7) {
        rotate()
        copyFileSync(log, `${log}.1`)
        truncateSync(log)
        write(log)
      } else if (kind === 8) {
        await stop(tailer)
        write(log)
        tailer = await start()
      }
      await sleep(random(60))
    }
    await settled(next)
    expect(taken()).toEqual(sorted(written))
  },
  60_000,
)

/** Waits until all is read again and nothing is looked for any more. */
async function read(beats = complete.length + 3): Promise<void> {
  for (let waited = 0; complete.length < beats && waited < 10_000; waited += 10) await sleep(10)
}

test('a log that does not grow is complete all the same, without a break', async () => {
  writeFileSync(log, lines(0, 3))
  await start()
  await settled(3)
  await read(10)
  expect(complete.length).toBeGreaterThanOrEqual(10)
  const ends = complete.map(({ endMs }) => endMs)
  expect(complete.slice(1).map(({ startMs }) => startMs)).toEqual(ends.slice(0, -1))
  expect(lost).toEqual([])
})

test('a log that is not there is not complete', async () => {
  await start()
  await sleep(200)
  expect(complete).toEqual([])
})

test('what rotation and compression did while nobody looked is no loss', async () => {
  writeFileSync(log, lines(0, 10))
  const first = await start()
  await settled(10)
  await read()
  await stop(first)
  const stoppedMs = complete.at(-1)?.endMs ?? 0
  appendFileSync(log, lines(10, 20))
  writeFileSync(`${log}.2.gz`, gzipSync(readFileSync(log)))
  unlinkSync(log)
  writeFileSync(`${log}.1`, lines(20, 25))
  writeFileSync(log, lines(25, 30))
  complete = []
  await start()
  await settled(30)
  await read()
  expect(taken()).toEqual(sorted(lines(0, 30)))
  expect(complete[0]?.startMs).toBeLessThanOrEqual(stoppedMs)
  // A minute of fast time passes, too.
  await sleep(2500)
  expect(lost).toEqual([])
})

test('a file that is deleted while nobody looks is lost since it was last read', async () => {
  writeFileSync(log, lines(0, 10))
  const first = await start()
  await settled(10)
  await read()
  await stop(first)
  const stoppedMs = complete.at(-1)?.endMs ?? 0
  unlinkSync(log)
  writeFileSync(log, lines(100, 105))
  complete = []
  const restartedMs = fastClock.nowMs()
  await start()
  await settled(15)
  expect(complete).toEqual([])
  for (let waited = 0; lost.length === 0 && waited < 10_000; waited += 10) await sleep(10)
  expect(lost).toHaveLength(1)
  expect(lost[0]?.startMs).toBeLessThanOrEqual(stoppedMs)
  expect(lost[0]?.endMs).toBeGreaterThanOrEqual(restartedMs)
  await read()
  expect(complete.length).toBeGreaterThan(0)
})

/** A log of 40 MB, of which half is read while the journal is full for more than a second. */
async function fallBehind(): Promise<void> {
  writeFileSync(log, lines(0, 10))
  await start()
  await settled(10)
  await read()
  sink.overload(3)
  appendFileSync(log, `${'x'.repeat(999)}\n`.repeat(40_000))
  await sleep(500)
}

test('a file that is truncated before all of it was read is a loss', async () => {
  await fallBehind()
  const readMs = complete.at(-1)?.endMs
  writeFileSync(log, lines(200, 203))
  for (let waited = 0; lost.length === 0 && waited < 10_000; waited += 10) await sleep(10)
  expect(lost).toMatchObject([{ startMs: readMs }])
  expect(taken()).toContain('line 202')
}, 20_000)

test('a file that is copied and truncated before all of it was read is none', async () => {
  await fallBehind()
  copyFileSync(log, `${log}.1`)
  writeFileSync(log, lines(200, 203))
  await settled(40_013)
  await sleep(3000)
  expect(lost).toEqual([])
  expect(sink.lines()).toBe(40_013)
}, 20_000)

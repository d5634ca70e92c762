import { execFileSync, spawn } from 'node:child_process'
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { createMemoryLogSink, type MemoryLogSink } from '../../../test/support/memory-log-sink.ts'
import { needProgram } from '../../../test/support/programs.ts'
import { systemClock } from '../../core/clock.ts'
import { ingestFiles } from './ingest-file.ts'
import { createTailer, type Tailer } from './tail.ts'

const SPEC = {
  format: 'combined',
  domain: 'a.example',
  clientFrom: 'remote_addr',
  timeZone: null,
} as const

/** Time that runs 30 times as fast: a copy is settled after a third of a second. */
const fastClock = { nowMs: () => systemClock.nowMs() * 30 }
const SETTLED_MS = 600

const root = mkdtempSync(join(tmpdir(), 'weir-copytruncate-'))
let directory = root
let log = ''
let count = 0
let sink: MemoryLogSink
let warnings: string[]
let tailers: Tailer[] = []

beforeEach(() => {
  count += 1
  directory = join(root, String(count))
  mkdirSync(directory)
  log = join(directory, 'access.log')
  sink = createMemoryLogSink()
  warnings = []
})

afterEach(async () => {
  for (const tailer of tailers.splice(0)) await tailer.stop()
})
afterAll(() => rmSync(root, { recursive: true }))

async function start(paths: readonly string[] = [log]): Promise<Tailer> {
  const stateDirectory = join(root, `state-${count}`)
  const tailer = createTailer(
    { name: 'edge', paths, spec: SPEC, pollIntervalMs: 20, stateDirectory },
    {
      sink,
      clock: fastClock,
      log: { info: () => undefined, warn: (_, message) => void warnings.push(message) },
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

/** Waits until this many lines are in, and until nothing more is found out about any file. */
async function settled(wanted: number): Promise<void> {
  await arrived(wanted)
  await sleep(SETTLED_MS)
}

async function arrived(wanted: number): Promise<void> {
  for (let waited = 0; sink.lines() < wanted && waited < 10_000; waited += 5) await sleep(5)
}

function lines(from: number, to: number): string {
  return Array.from({ length: to - from }, (_, at) => `line ${from + at}\n`).join('')
}

function sorted(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .sort()
}

/** Ten lines are known, five came with the copy, `gap` after it, and then the log begins anew. */
async function rotate(gap: readonly string[], copy = () => copyFileSync(log, `${log}.1`)) {
  writeFileSync(log, lines(0, 10))
  const tailer = await start()
  await arrived(10)
  appendFileSync(log, lines(10, 15))
  copy()
  let wanted = 15
  for (const text of gap) {
    appendFileSync(log, text)
    wanted += text.split('\n').length - 1
    await arrived(wanted)
  }
  truncateSync(log)
  appendFileSync(log, lines(100, 103))
  return tailer
}

test('lines that were read between the copy and the truncation count, and no line twice', async () => {
  await rotate([lines(15, 17)])
  await settled(20)
  expect(sorted(sink.text())).toEqual(sorted(lines(0, 17) + lines(100, 103)))
  expect(warnings).toEqual([])
})

test('also when they came in several pieces', async () => {
  await rotate([lines(15, 17), lines(17, 40), lines(40, 41)])
  await settled(44)
  expect(sorted(sink.text())).toEqual(sorted(lines(0, 41) + lines(100, 103)))
})

test('also when the copy ends in the middle of a line', async () => {
  const tailer = await rotate([lines(15, 17)], () => {
    writeFileSync(`${log}.1`, readFileSync(log).subarray(0, -4))
  })
  await settled(20)
  expect(sorted(sink.text())).toEqual(sorted(lines(0, 17) + lines(100, 103)))
  await stop(tailer)
})

test('the copy stays known: to a restart that remembers nothing, renamed, compressed, by hand', async () => {
  const tailer = await rotate([lines(15, 17)])
  await settled(20)
  await stop(tailer)
  rmSync(join(root, `state-${count}`), { recursive: true })
  renameSync(`${log}.1`, `${log}.2`)
  await start([directory])
  await settled(20)
  writeFileSync(`${log}.2.gz`, gzipSync(readFileSync(`${log}.2`)))
  unlinkSync(`${log}.2`)
  await sleep(SETTLED_MS)
  const deps = {
    sink,
    clock: systemClock,
    waitForRoom: async () => undefined,
    onProgress: () => undefined,
    stdin: (async function* () {})(),
  }
  const request = { source: 'edge', spec: SPEC, paths: [`${log}.2.gz`] }
  expect(await ingestFiles(request, deps)).toMatchObject({ lines: 15, duplicate: 15 })
  expect(sink.lines()).toBe(20)
})

test('a restart at once, before the copy was settled, knows it too', async () => {
  const tailer = await rotate([lines(15, 17)])
  await arrived(20)
  await sleep(100)
  await stop(tailer)
  await start()
  await settled(20)
  expect(sink.lines()).toBe(20)
})

test('a copy that is compressed at once is known', async () => {
  await rotate([lines(15, 17)], () => writeFileSync(`${log}.1.gz`, gzipSync(readFileSync(log))))
  await settled(20)
  await sleep(SETTLED_MS)
  expect(sorted(sink.text())).toEqual(sorted(lines(0, 17) + lines(100, 103)))
})

test('a copy that is still being written is waited for, however slowly', async () => {
  await rotate([lines(15, 17)], () => writeFileSync(`${log}.1`, lines(0, 12)))
  await settled(20)
  appendFileSync(`${log}.1`, 'line 12\nline')
  await sleep(SETTLED_MS)
  appendFileSync(`${log}.1`, ' 13\nline 14\n')
  await sleep(SETTLED_MS)
  expect(sorted(sink.text())).toEqual(sorted(lines(0, 17) + lines(100, 103)))
})

test('a whole copy beside one that ends earlier is known as well', async () => {
  await rotate([lines(15, 17)], () => copyFileSync(log, `${log}.1`))
  await settled(20)
  writeFileSync(join(directory, 'access.log-whole'), lines(0, 17))
  await start([directory])
  await settled(20)
  expect(sink.lines()).toBe(20)
})

test('a file that begins like the log and differs in the last byte is another one', async () => {
  await rotate([lines(15, 17)], () => writeFileSync(`${log}.1`, `${lines(0, 14)}line 1X\n`))
  await settled(25)
  expect(sink.text()).toContain('line 1X\n')
  expect(sorted(sink.text())).toEqual(
    sorted(`${lines(0, 17)}${lines(100, 103)}${lines(10, 14)}line 1X\n`),
  )
})

test('what is read and not yet durable when the truncation is noticed counts', async () => {
  const long = (from: number, to: number): string =>
    lines(from, to).replaceAll('\n', `${'x'.repeat(1000)}\n`)
  writeFileSync(log, long(0, 3000))
  const before = sink
  let isCopied = false
  sink = {
    ...sink,
    candidates: async (headHash) => {
      // The first of three blocks was read: the copy ends in it, and other bytes follow now.
      if (!isCopied) {
        writeFileSync(`${log}.1`, readFileSync(log).subarray(0, 500_000))
        writeFileSync(log, long(5000, 7000))
      }
      isCopied = true
      return before.candidates(headHash)
    },
  }
  await start()
  await settled(3000)
  const all = sink.text().split('\n').slice(0, -1)
  expect(new Set(all).size).toBe(all.length)
  // A mebibyte was read before: whole lines of it count, though no file has them any more.
  const old = all.filter((line) => Number(/\d+/.exec(line)?.[0]) < 5000)
  expect(old.length).toBeGreaterThan(1000)
  expect(all.length - old.length).toBe(2000)
})

/** Writes lines as fast as a busy server does, each at once, until it is told to stop. */
async function writeLines(path: string, isDone: () => boolean): Promise<number> {
  let next = 0
  while (!isDone()) {
    const file = openSync(path, 'a')
    for (let burst = 0; burst < 50; burst += 1) {
      writeSync(file, `line ${next} ${'x'.repeat(200)}\n`)
      next += 1
    }
    closeSync(file)
    await sleep(1)
  }
  return next
}

test('logrotate copies and truncates a busy log: what is in a file counts, and nothing twice', async (context) => {
  const logrotate = needProgram(context, 'logrotate')
  const config = join(directory, 'logrotate.conf')
  const options = ['copytruncate', 'rotate 99', 'missingok', 'compress', 'delaycompress']
  writeFileSync(config, `"${log}" {\n  ${options.join('\n  ')}\n}\n`, { mode: 0o644 })
  const state = join(directory, 'logrotate.state')
  await start()
  let isDone = false
  const written = writeLines(log, () => isDone)
  for (let round = 0; round < 8; round += 1) {
    await sleep(200)
    const child = spawn(logrotate, ['--force', '--state', state, config], { stdio: 'inherit' })
    await new Promise((resolve) => child.once('exit', resolve))
  }
  isDone = true
  const total = await written
  const names = readdirSync(directory).filter((name) => name.startsWith('access.log'))
  expect(names.length).toBeGreaterThanOrEqual(8)
  const kept = names
    .map((name) => {
      const path = join(directory, name)
      return name.endsWith('.gz')
        ? execFileSync('gzip', ['-dc', path], { maxBuffer: 1 << 28, encoding: 'utf8' })
        : readFileSync(path, 'utf8')
    })
    .join('')
  await settled(kept.split('\n').length - 1)
  const taken = sorted(sink.text())
  expect(new Set(taken).size).toBe(taken.length)
  const isTaken = new Set(taken)
  expect(sorted(kept).filter((line) => !isTaken.has(line))).toEqual([])
  expect(taken.length).toBeLessThanOrEqual(total)
}, 60_000)

import { createReadStream, createWriteStream } from 'node:fs'
import {
  appendFile,
  copyFile,
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { createGzip } from 'node:zlib'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import {
  buildWeir,
  endChildren,
  runProgram,
  runWeir,
  serveWeir,
  startWeir,
  until,
  type Running,
  type WeirServer,
} from '../support/built-weir.ts'
import {
  countByAwk,
  COUNTED_FORMAT,
  countedLines,
  differences,
  registerCounted,
  totalsOf,
  writeCountedLog,
  type Counted,
  type LogRecipe,
} from '../support/counted-log.ts'
import { findProgram, needProgram } from '../support/programs.ts'

const FIVE_MINUTES_MS = 300_000
// The logs end an hour ago, so that none of their lines lies in the future.
const END_MS = Math.floor((Date.now() - 3_600_000) / FIVE_MINUTES_MS) * FIVE_MINUTES_MS
const LARGE: LogRecipe = { lines: 2_000_000, seed: 1, endMs: END_MS }
const SMALL: LogRecipe = { lines: 200_000, seed: 2, endMs: END_MS }
/** More than one chunk, so that one can be durable while the next is written. */
const CHUNK_BYTES = 32 << 20
const MIDDLE_BYTES = 2.2 * CHUNK_BYTES
const LOADED_MS_MAX = 30_000

const awk = findProgram('awk') ?? 'awk'
let folder: string
let account: string
let large: { path: string; counted: Counted }
let small: { path: string; counted: Counted }
let stores = 0

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-e2e-files-'))
  await buildWeir()
  const server = await serveWeir(join(folder, 'registered'), '--empty')
  account = await registerCounted(server, END_MS)
  await server.stop()
  large = await makeLog('large.log', LARGE)
  small = await makeLog('small.log', SMALL)
})

afterEach(endChildren)
afterAll(() => rm(folder, { recursive: true, force: true }))

async function makeLog(name: string, recipe: LogRecipe) {
  const path = join(folder, name)
  await writeCountedLog(path, recipe)
  const counted = await countByAwk(awk, [path])
  expect(counted.lines).toBeGreaterThan(recipe.lines * 0.99)
  expect(Object.keys(counted.rejected).sort()).toEqual(['unknown_resource', 'unparseable'])
  return { path, counted }
}

/** A store that knows the domains and holds no usage. */
async function freshStore(): Promise<string> {
  stores += 1
  const data = join(folder, `store-${stores}`)
  await cp(join(folder, 'registered'), data, { recursive: true })
  return data
}

const INGEST = ['ingest', 'access-log', '--format', COUNTED_FORMAT, '--json']

interface Summary {
  readonly lines: number
  readonly accepted: number
  readonly duplicate: number
  readonly rejected: Readonly<Record<string, number>>
  readonly bytesOut: string
}

/** Takes files in without a server. */
async function ingest(data: string, ...paths: string[]): Promise<Summary> {
  const { code, out, err } = await runWeir([...INGEST, '--data', data, ...paths])
  expect({ code, err: code === 0 ? '' : err }).toEqual({ code: 0, err: '' })
  return JSON.parse(out) as Summary
}

/** What the summary of a file that is new must say. */
function summaryOf({ lines, rejected, bytes }: Counted): Partial<Summary> {
  const refused = Object.values(rejected).reduce((sum, count) => sum + count, 0)
  return {
    lines: lines + refused,
    accepted: lines,
    duplicate: 0,
    rejected,
    bytesOut: bytes.toString(),
  }
}

async function expectCounted(server: WeirServer, counted: Counted): Promise<void> {
  expect(await totalsOf(server, account, END_MS)).toEqual({
    lines: counted.lines,
    bytes: counted.bytes,
  })
  expect(await differences(server, account, counted, END_MS)).toEqual([])
  expect(await rejectedCounts(server)).toEqual(counted.rejected)
  expect(await server.audit()).toEqual([])
}

/** Lines kept as rejected, by reason. */
async function rejectedCounts(server: WeirServer): Promise<Record<string, number>> {
  const response = await fetch(`${server.url}/admin/v1/rejected?limit=1`, {
    headers: { authorization: `Bearer ${server.token}` },
  })
  const { counts } = (await response.json()) as { counts: { reason: string; lines: number }[] }
  return Object.fromEntries(counts.map(({ reason, lines }) => [reason, lines]))
}

async function expectStored(data: string, counted: Counted): Promise<void> {
  const server = await serveWeir(data)
  await expectCounted(server, counted)
  expect((await server.stop()).code).toBe(0)
}

test('a file of 2 M lines counts as awk counts it, and once however often it comes', async () => {
  const data = await freshStore()
  expect(await ingest(data, large.path)).toMatchObject(summaryOf(large.counted))
  const server = await serveWeir(data)
  await expectCounted(server, large.counted)
  const again = await server.json<Summary>(...INGEST, large.path)
  expect(again).toMatchObject({ lines: LARGE.lines, accepted: 0, duplicate: LARGE.lines })
  await expectCounted(server, large.counted)
})

test('two half files count as the whole one', async () => {
  const data = await freshStore()
  const text = await readFile(small.path)
  const middle = text.indexOf('\n', text.length / 2) + 1
  const halves = [text.subarray(0, middle), text.subarray(middle)]
  const paths = halves.map((_, index) => join(folder, `half-${index}.log`))
  for (const [index, half] of halves.entries()) await writeFile(paths[index] ?? '', half)
  expect(await ingest(data, ...paths)).toMatchObject(summaryOf(small.counted))
  await expectStored(data, small.counted)
})

test('compressed copies of a file that was taken in bring nothing new', async (context) => {
  const zstd = needProgram(context, 'zstd')
  const data = await freshStore()
  expect(await ingest(data, small.path)).toMatchObject(summaryOf(small.counted))
  const packed = [`${small.path}.1.gz`, `${small.path}.1.zst`] as const
  await pipeline(createReadStream(small.path), createGzip(), createWriteStream(packed[0]))
  await runProgram(zstd, ['--quiet', small.path, '-o', packed[1]])
  const again = await ingest(data, ...packed)
  expect(again).toMatchObject({ lines: 2 * SMALL.lines, accepted: 0, duplicate: 2 * SMALL.lines })
  await expectStored(data, small.counted)
})

/** The first lines of the large log. */
async function middleLog(): Promise<{ path: string; counted: Counted }> {
  const path = join(folder, 'middle.log')
  const text = await readFile(large.path)
  await writeFile(path, text.subarray(0, text.indexOf('\n', MIDDLE_BYTES) + 1))
  return { path, counted: await countByAwk(awk, [path]) }
}

async function sizeOf(directory: string): Promise<number> {
  const names = await readdir(directory).catch(() => [])
  const sizes = names.map((name) => stat(join(directory, name)).catch(() => ({ size: 0 })))
  return (await Promise.all(sizes)).reduce((sum, { size }) => sum + size, 0)
}

/** Ends a process once more than a chunk of the file is in its journal. */
async function killInTheMiddle(victim: Running, data: string, reader: Running): Promise<void> {
  const isThere = async (): Promise<boolean> =>
    (await sizeOf(join(data, 'journal'))) > CHUNK_BYTES * 1.2
  expect(await until(isThere, (found) => found || reader.process.exitCode !== null, 30_000)).toBe(
    true,
  )
  victim.process.kill('SIGKILL')
  await victim.ended
}

function expectResumed(summary: Summary, counted: Counted): void {
  const { lines, rejected } = counted
  const refused = Object.values(rejected).reduce((sum, count) => sum + count, 0)
  expect(summary.lines).toBe(lines + refused)
  expect(summary.duplicate).toBeGreaterThan(0)
  expect(summary.accepted).toBeGreaterThan(0)
}

test('a command or server killed in the middle goes on where it was, and counts nothing twice', async () => {
  const middle = await middleLog()
  const alone = await freshStore()
  const command = startWeir([...INGEST, '--data', alone, middle.path])
  await killInTheMiddle(command, alone, command)
  expectResumed(await ingest(alone, middle.path), middle.counted)
  await expectStored(alone, middle.counted)

  const data = await freshStore()
  const first = await serveWeir(data)
  const environment = { WEIR_URL: first.url, WEIR_ADMIN_TOKEN: first.token }
  const sender = startWeir([...INGEST, middle.path], environment)
  await killInTheMiddle(first, data, sender)
  expect((await sender.ended).code).toBe(1)
  const second = await serveWeir(data)
  expectResumed(await second.json<Summary>(...INGEST, middle.path), middle.counted)
  await expectCounted(second, middle.counted)
})

/** Writes a configuration that follows a log. */
async function followed(data: string, path: string): Promise<string> {
  const config = join(data, 'weir.yaml')
  const source = { type: 'access-log', name: 'edge', paths: [path], format: COUNTED_FORMAT }
  await writeFile(config, JSON.stringify({ sources: [{ ...source, pollInterval: '200ms' }] }))
  return config
}

async function waitForLines(server: WeirServer, counted: Counted): Promise<void> {
  const ask = () => totalsOf(server, account, END_MS)
  await until(ask, ({ lines }) => lines >= counted.lines, LOADED_MS_MAX)
}

test('a log tailed while it grows, rotates and the server restarts counts each line once', async () => {
  const data = await freshStore()
  const logs = join(folder, 'logs')
  await mkdir(logs)
  const path = join(logs, 'access.log')
  const config = await followed(data, path)
  let server = await serveWeir(data, '--config', config)
  // Ten pieces that together are the small log, in bites that end anywhere in a line.
  const pieceOf = (index: number): string => countedLines(SMALL, index * 20_000, 20_000)
  const write = async (index: number): Promise<void> => {
    const text = Buffer.from(pieceOf(index))
    for (let at = 0; at < text.length; at += 300_001) {
      await appendFile(path, text.subarray(at, at + 300_001))
      await sleep(20)
    }
  }
  await write(0)
  await write(1)
  // Renamed; the writer goes on in the old file for a while, then in a new one.
  await rename(path, `${path}.1`)
  await appendFile(`${path}.1`, pieceOf(2))
  await write(3)
  // Renamed twice more while the server is down, and it went down without a word.
  await server.kill()
  await rename(`${path}.1`, `${path}.2`)
  await rename(path, `${path}.1`)
  await write(4)
  server = await serveWeir(data, '--config', config)
  await write(5)
  // Copied and truncated, as where the writer cannot be told to reopen.
  await rename(`${path}.2`, `${path}.3`)
  await rename(`${path}.1`, `${path}.2`)
  await copyFile(path, `${path}.1`)
  await truncate(path, 0)
  await write(6)
  await write(7)
  expect((await server.stop()).code).toBe(0)
  await write(8)
  server = await serveWeir(data, '--config', config)
  await write(9)
  const whole = await countByAwk(
    awk,
    ['', '.1', '.2', '.3'].map((end) => `${path}${end}`),
  )
  expect(whole).toEqual(small.counted)
  await waitForLines(server, whole)
  // A line counted twice would come late, too.
  await sleep(1000)
  await expectCounted(server, whole)
})

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import fastify, { type FastifyInstance } from 'fastify'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { createMemoryLogSink, type MemoryLogSink } from '../../test/support/memory-log-sink.ts'
import { encodeChunk } from '../api/chunk-wire.ts'
import { createIngestFilesApi } from '../api/ingest/files.ts'
import { systemClock } from '../core/clock.ts'
import { AppError, ERRORS, toAppError } from '../core/errors.ts'
import { compileFormat } from '../sources/access-log/format.ts'
import { LINE_BYTES_MAX, type LogSink } from '../sources/access-log/sink.ts'
import { ingestCommand } from './ingest.ts'
import { createRemoteSink } from './remote-sink.ts'

const directory = mkdtempSync(join(tmpdir(), 'weir-ingest-cli-'))
let sink: MemoryLogSink
let server: FastifyInstance
let url = ''

beforeEach(async () => {
  sink = createMemoryLogSink()
  server = fastify()
  server.setErrorHandler((thrown, _, reply) => {
    const { code, message } = toAppError(thrown)
    return reply.status(ERRORS[code].http).send({ error: { code, message } })
  })
  // Looked up at each call, so that a test may replace it.
  const current: LogSink = {
    candidates: (headHash) => sink.candidates(headHash),
    append: (chunk) => sink.append(chunk),
    outcome: (batchId) => sink.outcome(batchId),
  }
  await server.register(createIngestFilesApi({ sink: current, checkFormat: compileFormat }))
  url = await server.listen({ port: 0, host: '127.0.0.1' })
})

afterEach(() => server.close())
afterAll(() => rmSync(directory, { recursive: true }))

function file(name: string, content: string): string {
  const path = join(directory, name)
  writeFileSync(path, content)
  return path
}

interface Run {
  code: number
  out: string
  err: string
}

async function run(args: readonly string[], stdin = '', isTerminal = false): Promise<Run> {
  const result: Run = { code: -1, out: '', err: '' }
  const command = ingestCommand({
    clock: systemClock,
    stdin: Readable.from(stdin === '' ? [] : [Buffer.from(stdin)]),
    print: (text) => {
      result.out += text
    },
    complain: (text) => {
      result.err += text
    },
    isTerminal,
    exitWith: (code) => {
      result.code = code
    },
    openSink: async () => ({
      sink: createRemoteSink({ url: `${url}/`, token: 'token' }),
      close: async () => undefined,
    }),
  })
  await command.parseAsync(['access-log', ...args], { from: 'user' })
  return result
}

test('files and standard input reach a running server, each line once', async () => {
  const path = file('a.log', 'one\ntwo\n')
  const args = ['--domain', 'a.example', '--source', 'edge-1']
  const first = await run([path, '-', ...args], 'three')
  expect(first).toMatchObject({ code: 0, err: '' })
  expect(first.out).toMatch(
    /^files\s+2\nlines\s+3\naccepted\s+3\nduplicate\s+0\nrejected\s+0\nbytes out\s+3\nelapsed/,
  )
  expect(sink.text()).toBe('one\ntwo\nthree\n')
  expect(sink.chunks[0]).toMatchObject({
    source: 'edge-1',
    path,
    formatSpec: {
      format: 'combined',
      domain: 'a.example',
      clientFrom: 'remote_addr',
      timeZone: null,
    },
  })
  const again = await run([path, ...args, '--json'])
  expect(JSON.parse(again.out)).toMatchObject({
    accepted: 0,
    duplicate: 2,
    bytesOut: '0',
    failures: [],
  })
  expect(again.code).toBe(0)
})

test('bytes that are no text and lines that are too long travel unharmed', async () => {
  const path = join(directory, 'binary.log')
  const content = Buffer.concat([
    Buffer.from([0, 0xff, 0xfe, 10]),
    Buffer.alloc(LINE_BYTES_MAX + 1, 0x61),
    Buffer.from([10, 0x80]),
  ])
  writeFileSync(path, content)
  expect(await run([path, '--domain', 'a.example'])).toMatchObject({ code: 0 })
  expect(sink.text()).toBe('\x00\xff\xfe\n\x80\n')
  expect(sink.chunks[0]?.oversize).toMatchObject([{ offset: 4, length: LINE_BYTES_MAX + 2 }])
})

test('a wrong format is refused before anything is opened', async () => {
  const result = await run([file('a.log', 'x\n'), '--format', '$host $nothing'])
  expect(result.code).toBe(1)
  expect(result.err).toContain('has no time')
})

test('a missing file is named, and makes the exit code 1', async () => {
  const result = await run([join(directory, 'none'), file('b.log', 'x\n'), '--domain', 'a.example'])
  expect(result.code).toBe(1)
  expect(result.err).toContain(`There is no file ${join(directory, 'none')}.`)
  expect(result.out).toMatch(/accepted\s+1\n/)
})

test('when every line is rejected the exit code is 2, and the way to the reasons is named', async () => {
  sink = {
    ...sink,
    outcome: async () => ({
      accepted: 0,
      duplicate: 0,
      rejected: { unparseable: 1 },
      bytesOut: 0n,
    }),
  }
  const result = await run([file('c.log', 'x\n'), '--domain', 'a.example'])
  expect(result.code).toBe(2)
  expect(result.out).toMatch(/rejected\s+1\n {2}unparseable\s+1\n/)
  expect(result.err).toContain('weir rejected list --source access-log')
})

test('a full journal is waited for', async () => {
  sink.overload(2)
  const result = await run([file('d.log', 'x\n'), '--domain', 'a.example'])
  expect(result).toMatchObject({
    code: 0,
    err: 'The journal is full; waiting until some of it is loaded.\n',
  })
})

test('a server that is not there is named', async () => {
  await server.close()
  const result = await run([file('e.log', 'x\n'), '--domain', 'a.example'])
  expect(result.code).toBe(1)
  expect(result.err).toContain(
    `No answer from ${url}/admin/v1/ingest/candidates. Is the server running there?`,
  )
})

test('what the server says of a failure reaches the person', async () => {
  sink = {
    ...sink,
    append: async () => {
      throw new AppError('forbidden', 'This token may only read.')
    },
  }
  const result = await run([file('f.log', 'x\n'), '--domain', 'a.example'])
  expect(result).toMatchObject({ code: 1 })
  expect(result.err).toContain('This token may only read.')
})

test('a chunk with a format that cannot be read is refused, not kept', async () => {
  const digest = 'a'.repeat(64)
  const payload = encodeChunk({
    source: 'edge',
    formatSpec: { format: '$host', domain: null, clientFrom: 'remote_addr', timeZone: null },
    fileId: 'f',
    headHash: digest,
    path: 'p',
    offset: 0,
    length: 2,
    lines: 1,
    sha256: digest,
    oversize: [],
    body: Buffer.from('x\n'),
  })
  const response = await server.inject({
    method: 'POST',
    url: '/admin/v1/ingest/chunks',
    headers: { 'content-type': 'application/vnd.weir.log-chunk' },
    payload,
  })
  expect(response.statusCode).toBe(400)
  expect(response.json()).toMatchObject({ error: { code: 'parameter_invalid' } })
  expect(sink.chunks).toEqual([])
})

test.each([
  ['no head', Buffer.from('x'), 'no head of the length'],
  ['a head that is no JSON', Buffer.from('\x00\x00\x00\x02{x', 'latin1'), 'is no JSON'],
  ['a head without fields', Buffer.from('\x00\x00\x00\x02{}', 'latin1'), 'source'],
])('a chunk with %s is refused with 400', async (_, body, problem) => {
  const response = await server.inject({
    method: 'POST',
    url: '/admin/v1/ingest/chunks',
    headers: { 'content-type': 'application/vnd.weir.log-chunk' },
    payload: body,
  })
  expect(response.statusCode).toBe(400)
  expect(response.body).toContain(problem)
})

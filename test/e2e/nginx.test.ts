import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  buildWeir,
  endChildren,
  runProgram,
  serveWeir,
  until,
  type WeirServer,
} from '../support/built-weir.ts'
import { NGINX_FORMAT, startNginx, type Nginx } from '../support/nginx.ts'
import { findProgram, needProgram } from '../support/programs.ts'

const KNOWN = ['a.example.com', 'b.example.com']
const STRANGER = 'late.example.com'
const HOSTS = [...KNOWN, STRANGER]
const FILES = { small: 1_000, page: 70_000, film: 1_500_000 } as const
/** With HEAD and a file that is missing: not only bodies count. */
const TARGETS = [
  ['GET', '/small'],
  ['GET', '/page'],
  ['HEAD', '/film'],
  ['GET', '/missing'],
  ['GET', '/film'],
] as const
const REQUESTS = 6_000
const CONNECTIONS = 16
const DAY_MS = 86_400_000
const TAILED_MS_MAX = 30_000

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-e2e-nginx-'))
  await buildWeir()
})

afterAll(async () => {
  await endChildren()
  await rm(folder, { recursive: true, force: true })
})

/** Sends one request and reads the answer to its end. */
function send(agent: Agent, port: number, index: number): Promise<void> {
  const [method, path] = TARGETS[index % TARGETS.length] ?? TARGETS[0]
  const headers = { host: HOSTS[index % HOSTS.length] }
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, method, path, headers, agent }
    request(options, (answer) => {
      answer.resume().once('end', resolve).once('error', reject)
    })
      .once('error', reject)
      .end()
  })
}

/** Sends requests over a few connections, and rotates the log twice meanwhile. */
async function load(nginx: Nginx): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  let next = 0
  const rotations: Promise<void>[] = []
  const worker = async (): Promise<void> => {
    while (next < REQUESTS) {
      const index = next
      next += 1
      if (index === REQUESTS / 3 || index === (2 * REQUESTS) / 3) {
        // One after the other, or logrotate would find its state file locked.
        rotations.push((rotations.at(-1) ?? Promise.resolve()).then(() => nginx.rotate()))
      }
      await send(agent, nginx.port, index)
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, worker))
  await Promise.all(rotations)
  agent.destroy()
}

interface HostSum {
  readonly requests: number
  readonly bytes: number
}

/** Sums nginx's own numbers per host by awk, over every file that it wrote. */
async function sumsOf(logs: string): Promise<Record<string, HostSum>> {
  const names = (await readdir(logs)).sort()
  expect(names).toEqual(['access.log', 'access.log.1', 'access.log.2.gz'])
  const all = join(folder, 'all.log')
  const texts = await Promise.all(names.map((name) => readFile(join(logs, name))))
  await writeFile(
    all,
    Buffer.concat(
      texts.map((text, index) => (names[index]?.endsWith('.gz') ? gunzipSync(text) : text)),
    ),
  )
  // host addr [time zone] msec "GET /x HTTP/1.1" status bytes_sent …
  const program =
    '{ n[$1]++; b[$1] += $10 } END { for (h in n) printf "%s %d %.0f\\n", h, n[h], b[h] }'
  const { out } = await runProgram(findProgram('awk') ?? 'awk', [program, all])
  const rows = out
    .trimEnd()
    .split('\n')
    .map((row) => row.split(' '))
  return Object.fromEntries(
    rows.map(([host = '', requests, bytes]) => [
      host,
      { requests: Number(requests), bytes: Number(bytes) },
    ]),
  )
}

/** The same from Weir, over the last day. */
async function measured(server: WeirServer, account: string): Promise<Record<string, HostSum>> {
  const rows = await server.query({
    account,
    meter: 'cdn',
    start: Date.now() - DAY_MS,
    end: Date.now() + 600_000,
    granularity: 'total',
    groupBy: ['resource'],
    measures: ['bytes', 'requests'],
  })
  return Object.fromEntries(
    rows
      .filter((row) => row['requests'] !== 0)
      .map((row) => [
        String(row['resource']).slice('ucdn-'.length).replaceAll('-', '.'),
        { requests: Number(row['requests']), bytes: Number(row['bytes']) },
      ]),
  )
}

async function register(server: WeirServer, account: string, name: string): Promise<void> {
  const id = `ucdn-${name.replaceAll('.', '-')}`
  const since = new Date(Date.now() - DAY_MS).toISOString()
  const options = ['--meter', 'cdn', '--account', account, '--id', id, '--created-at', since]
  await server.json('resource', 'create', name, ...options)
}

test('what a real nginx sent is what Weir measured, across logrotate', async (context) => {
  const programs = {
    nginx: needProgram(context, 'nginx'),
    logrotate: needProgram(context, 'logrotate'),
  }
  const nginx = await startNginx(programs, folder)
  for (const [name, size] of Object.entries(FILES)) {
    await writeFile(join(folder, 'files', name), Buffer.alloc(size, 'x'))
  }
  const config = join(folder, 'weir.yaml')
  const source = { type: 'access-log', name: 'nginx', format: NGINX_FORMAT, pollInterval: '200ms' }
  const paths = [join(nginx.logs, 'access.log')]
  await writeFile(config, JSON.stringify({ sources: [{ ...source, paths }] }))
  const data = join(folder, 'data')
  const server = await serveWeir(data, '--empty', '--config', config)
  const { id: account } = await server.json<{ id: string }>('account', 'create', 'edge')
  for (const name of KNOWN) await register(server, account, name)

  await load(nginx)
  await nginx.stop()
  const { '127.0.0.1': probes, ...sums } = await sumsOf(nginx.logs)
  const requests = Object.values(sums).reduce((sum, host) => sum + host.requests, 0)
  expect(requests).toBe(REQUESTS)

  // Lines of the unknown host and of the probes at the start are kept, with their reason.
  const { [STRANGER]: late, ...known } = sums
  const refused = (late?.requests ?? 0) + (probes?.requests ?? 0)
  const isWhole = (now: object): boolean => isDeepStrictEqual(now, known)
  expect(await until(() => measured(server, account), isWhole, TAILED_MS_MAX)).toEqual(known)
  const listed = await server.weir('rejected', 'list', '--detail', STRANGER, '--limit', '1')
  expect(listed.out).toContain(`1 of ${late?.requests} rejected lines shown`)
  expect(listed.out).toContain('unknown_resource')
  expect((await server.weir('rejected', 'list', '--limit', '1')).out).toContain(`1 of ${refused} `)

  await register(server, account, STRANGER)
  const replay = async () => (await server.weir('rejected', 'replay', '--detail', STRANGER)).out
  const first = late?.requests
  expect(await replay()).toBe(
    `${first} lines tried again: ${first} accepted, 0 duplicate, 0 still rejected\n`,
  )
  expect(await replay()).toBe('0 lines tried again: 0 accepted, 0 duplicate, 0 still rejected\n')
  expect(await measured(server, account)).toEqual(sums)
  expect(await server.audit()).toEqual([])
  expect((await server.stop()).code).toBe(0)
})

import { readFile } from 'node:fs/promises'
import { ucloudRequest } from '../../src/api/client.ts'
import { composeServer } from '../../src/compose-server.ts'
import type { Core } from '../../src/compose.ts'
import { bufferedStream, createLog } from '../../src/telemetry/log.ts'
import { startStopwatch } from '../support/stopwatch.ts'
import { configIn, createTelemetry, openWeir, registerDomains } from '../support/weir.ts'
import { DOMAINS } from '../usage-http/generate.ts'
import { WEIR, type RawRequest } from './scripts.ts'

const ACCOUNTS = 5

await WEIR.act(async ({ directory, usage }, parent) => {
  const core = await openWeir(directory)
  const config = configIn(directory)
  const server = composeServer(
    { ...config, server: { ...config.server, port: 0 } },
    core,
    // Each call is logged, as by default; what is written must not scroll over the figures.
    {
      ...createTelemetry(),
      log: createLog({ level: 'info', stream: bufferedStream('/dev/null') }),
    },
  )
  await server.start()
  const requests = await prepareAccounts(core, server.url())
  await loadUsage(core, usage)
  // A server closes days as they settle; here nothing runs that would, and all of a year is open.
  const settledMs = core.clock.nowMs() - 12 * 3_600_000
  await core.bookkeeping.desk.close({ meter: 'cdn', untilMs: settledMs })
  const answer = await server.app.inject(parse(requests[0] ?? ''))
  const watch = startStopwatch()
  parent.ready({ port: Number(new URL(server.url()).port), requests, answer: answer.body })
  await parent.stopped
  const time = watch.read()
  await server.stop()
  await core.stop()
  return time
})

/** Accounts with packages, projects and domains; two different calls of each. */
async function prepareAccounts(core: Core, url: string): Promise<RawRequest[]> {
  const catalog = core.catalog.as('bench')
  const requests: RawRequest[] = []
  for (let index = 0; index < ACCOUNTS; index += 1) {
    const domains = DOMAINS.filter((_, position) => position % ACCOUNTS === index)
    const { accountId, projectId } = await registerDomains(core, domains, `Bench ${index}`)
    for (const area of ['cn', 'abroad'] as const) {
      for (const startAt of ['2026-11-01T00:00:00Z', '2026-11-15T00:00:00Z']) {
        await catalog.createTrafficPackage({
          account: accountId,
          area,
          size: '10TiB',
          purchasedAt: startAt,
          startAt,
          endAt: '2027-11-01T00:00:00Z',
        })
      }
    }
    const { key, secret } = await catalog.createKey({ account: accountId })
    for (const parameters of [{ ProjectId: projectId }, { ProjectId: projectId, IsDcdn: false }]) {
      const { headers, body } = ucloudRequest({
        url: `${url}/`,
        action: 'GetUcdnTrafficV2',
        parameters,
        publicKey: key.publicKey,
        privateKey: secret,
      })
      requests.push(format(headers, body))
    }
  }
  return requests
}

function format(headers: Readonly<Record<string, string>>, body: string): RawRequest {
  const lines = Object.entries({
    host: '127.0.0.1',
    'user-agent': 'weir-bench',
    accept: '*/*',
    ...headers,
    'content-length': String(Buffer.byteLength(body)),
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  return `POST / HTTP/1.1\r\n${lines.join('')}\r\n${body}`
}

function parse(request: RawRequest) {
  const [head = '', payload = ''] = request.split('\r\n\r\n')
  const headers = Object.fromEntries(
    head
      .split('\r\n')
      .slice(1)
      .map((line) => line.split(': ') as [string, string]),
  )
  return { method: 'POST' as const, url: '/', headers, payload }
}

/** A day's usage, so that the totals are computed from something. */
async function loadUsage(core: Core, usage: WeirUsage): Promise<void> {
  const { seq } = await core.ingest.acceptUsage({
    source: 'bench',
    meter: 'cdn',
    onlyAccount: null,
    body: await readFile(usage.path),
    lines: usage.records,
    idempotencyKey: null,
  })
  const loaded = await core.ingest.loaded(seq, 60_000)
  if (loaded?.outcome.accepted !== usage.records) throw new Error('the usage was not taken in')
}

type WeirUsage = { readonly path: string; readonly records: number }

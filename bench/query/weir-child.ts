import { open } from 'node:fs/promises'
import { composePackages } from '../../src/compose-packages.ts'
import type { Caller, OperationDeps } from '../../src/api/operations/caller.ts'
import { provinceBandwidth } from '../../src/api/operations/province-bandwidth.ts'
import { createLogSink } from '../../src/ingest/log-sink.ts'
import { ISPS, PROVINCES } from '../../src/meters/places.ts'
import { ingestFiles } from '../../src/sources/access-log/ingest-file.ts'
import { DOMAIN, type GeneratedLog } from '../access-log/generate.ts'
import { createRandom } from '../support/random.ts'
import { startStopwatch } from '../support/stopwatch.ts'
import { openWeir, registerDomains } from '../support/weir.ts'
import { queryBareSeries } from './bare-series.ts'
import { DAYS, describeRollup, END_MS, fillRollup, START_MS } from './fill.ts'
import { QUERY } from './scripts.ts'

const SERIES_ROUNDS = 7
const POINT_QUERIES = 400
/** Between two point queries: somebody looks at a dashboard, nobody hammers it. */
const PAUSE_MS = 10

type Weir = Awaited<ReturnType<typeof openWeir>>

await QUERY.act(async ({ directory, log, domains }) => {
  const core = await openWeir(directory)
  const names = Array.from({ length: domains }, (_, index) => `d${index}.example.net`)
  const owner = await registerDomains(core, [DOMAIN, ...names])
  const filled = owner.resourceIds.slice(1)
  const fill = startStopwatch()
  await fillRollup(core.engine, { ...owner, resourceIds: filled }, (text) => {
    process.stderr.write(`query: ${text}\n`)
  })
  const fillSeconds = fill.read().seconds
  const rollup = await describeRollup(core.engine)
  const ask = await createAsker(core, owner)
  const series = await measureSeries(core, ask, filled)
  const quiet = await measurePoints(ask, filled)
  const loaded = await measurePointsUnderLoad(core, log, () => measurePoints(ask, filled))
  await core.stop()
  return { rollup, fillSeconds, ...series, quietPointSeconds: quiet, ...loaded }
})

interface Asked {
  readonly resourceId: string
  readonly startMs: number
  readonly endMs: number
  readonly province?: string
  readonly isp?: string
}

type Ask = (asked: Asked) => Promise<string>

/** Asks as the dialect does, from the operation on. */
async function createAsker(
  core: Weir,
  owner: { accountId: string; projectId: string },
): Promise<Ask> {
  const account = await core.catalog.rows.accounts.get(owner.accountId)
  if (account === undefined) throw new Error('the account is gone')
  const { reader } = core.control
  const caller: Caller = { account, payer: account, brand: await reader.brandOf('localhost') }
  const deps: OperationDeps = {
    catalog: reader,
    usage: core.reader,
    books: core.books,
    modes: core.charges.desk,
    orders: composePackages(core),
    clock: core.clock,
    balances: core.bookkeeping.live,
  }
  return ({ resourceId, startMs, endMs, province, isp }) =>
    provinceBandwidth(
      caller,
      {
        projectId: owner.projectId,
        startMs,
        endMs,
        granularity: '5min',
        domains: [{ index: 0, value: resourceId }],
        provinces: province === undefined ? [] : [{ index: 0, value: province }],
        isp,
        listNames: ['BandwidthTrafficList'],
      },
      deps,
    )
}

async function measureSeries(core: Weir, ask: Ask, resourceIds: readonly string[]) {
  const seriesSeconds: number[] = []
  const bareSeconds: number[] = []
  let answer = ''
  for (let round = 0; round <= SERIES_ROUNDS; round += 1) {
    // Another domain each time: neither side may live on what it read a moment ago.
    const resourceId = resourceIds[(round * 5) % resourceIds.length] ?? ''
    const bareWatch = startStopwatch()
    const bare = await queryBareSeries(core.engine, resourceId)
    const bareTime = bareWatch.read().seconds
    const watch = startStopwatch()
    answer = await ask({ resourceId, startMs: START_MS, endMs: END_MS })
    const time = watch.read().seconds
    checkSame(answer, bare)
    // The first round warms both up.
    if (round === 0) continue
    seriesSeconds.push(time)
    bareSeconds.push(bareTime)
  }
  const points = answer.split('"Time"').length - 1
  return { seriesSeconds, bareSeconds, points, answerBytes: Buffer.byteLength(answer) }
}

/** Both answers hold the same points. */
function checkSame(answer: string, bare: string): void {
  const parsed = JSON.parse(answer) as { Province: string; BandwidthTrafficList: unknown[] }[]
  const expected = bare
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as (typeof parsed)[number])
    .sort((a, b) => (a.Province < b.Province ? -1 : 1))
  if (JSON.stringify(parsed) !== JSON.stringify(expected)) {
    throw new Error('Weir and the bare query disagree')
  }
}

async function measurePoints(ask: Ask, resourceIds: readonly string[]): Promise<number[]> {
  const random = createRandom(3)
  const seconds: number[] = []
  while (seconds.length < POINT_QUERIES) {
    const startMs = START_MS + random.below(DAYS - 1) * 86_400_000
    const watch = startStopwatch()
    const answer = await ask({
      resourceId: random.pick(resourceIds),
      startMs,
      endMs: startMs + 86_400_000,
      province: random.pick(PROVINCES),
      isp: random.pick(ISPS),
    })
    seconds.push(watch.read().seconds)
    if (!answer.includes('"Traffic":')) throw new Error('a point query found nothing')
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
  }
  return seconds
}

/** Takes the same log in again and again, as a new one each time, until the points are measured. */
async function measurePointsUnderLoad(
  core: Weir,
  log: GeneratedLog,
  measure: () => Promise<number[]>,
): Promise<{ pointSeconds: number[]; linesLoaded: number }> {
  const state = { isMeasured: false, linesLoaded: 0 }
  async function load(): Promise<void> {
    for (let round = 0; !state.isMeasured; round += 1) {
      state.linesLoaded += await loadOnce(core, log, round)
    }
  }
  const loading = load()
  const pointSeconds = await measure()
  state.isMeasured = true
  await loading
  return { pointSeconds, linesLoaded: state.linesLoaded }
}

async function loadOnce(core: Weir, log: GeneratedLog, round: number): Promise<number> {
  // Content is what a file is known by: another first line makes it another file.
  async function* content(): AsyncGenerator<Buffer> {
    yield Buffer.from(
      `1.2.3.4 - - [20/Nov/2026:19:00:00 +0800] "GET /${round} HTTP/1.1" 200 1 "-" "-"\n`,
    )
    // One buffer for all blocks, as files are read that are given by name.
    const buffer = Buffer.allocUnsafe(1 << 20)
    const file = await open(log.path)
    for (;;) {
      const { bytesRead } = await file.read(buffer)
      if (bytesRead === 0) break
      yield buffer.subarray(0, bytesRead)
    }
    await file.close()
  }
  const { accepted, lines } = await ingestFiles(
    {
      source: 'bench',
      spec: { format: 'combined', domain: DOMAIN, clientFrom: 'remote_addr', timeZone: null },
      paths: ['-'],
    },
    {
      sink: createLogSink(core.ingest),
      clock: core.clock,
      waitForRoom: () => new Promise((resolve) => setTimeout(resolve, 50)),
      giveWay: () => core.engine.giveWay(),
      onProgress: () => undefined,
      stdin: content(),
    },
  )
  if (accepted !== lines || lines !== log.lines + 1)
    throw new Error(`accepted ${accepted} of ${lines}`)
  return lines
}

import { spawnSync } from 'node:child_process'
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { ChildResult } from '../support/child.ts'
import { median, residentFigure, type Bench, type BenchResult } from '../support/figure.ts'
import type { Elapsed } from '../support/stopwatch.ts'
import { generateLog, type GeneratedLog } from './generate.ts'
import { BARE, WEIR, type LogInput, type WeirOutput } from './scripts.ts'

const LINES = 2_000_000
const ROUNDS = 3

/** Of the bare engine's speed, and of GoAccess's. */
const BARE_RATIO_MIN = 0.5
const GOACCESS_RATIO_MIN = 8

export const accessLog: Bench = {
  name: 'access-log',
  summary: '2 M combined lines to durable, enriched, rolled up and queryable',
  run: measure,
}

async function measure(directory: string, say: (text: string) => void): Promise<BenchResult> {
  say('generating the log')
  const log = await generateLog(LINES)
  // Both sides read it from the page cache.
  await readFile(log.path)
  const rounds: Round[] = []
  for (let round = 1; round <= ROUNDS; round += 1) {
    const measured = await measureRound(directory, log)
    rounds.push(measured)
    const { weir, bare } = measured
    say(`round ${round}: Weir ${weir.seconds.toFixed(2)} s, bare ${bare.seconds.toFixed(2)} s`)
  }
  const seconds = median(rounds.map(({ weir }) => weir.seconds))
  const goaccess = measureGoaccess(log, directory)
  return {
    figures: [
      ...engineFigures(rounds, seconds),
      ...(typeof goaccess === 'string' ? [] : goaccessFigures(goaccess, seconds)),
      residentFigure('Weir', Math.max(...rounds.map(({ residentBytes }) => residentBytes))),
    ],
    skipped: typeof goaccess === 'string' ? [goaccess] : [],
  }
}

interface Round {
  readonly weir: WeirOutput
  readonly residentBytes: number
  /** The engine grouping by all that Weir tells apart. */
  readonly bare: Elapsed
  /** The engine grouping by minute and place only. */
  readonly places: Elapsed
}

async function measureRound(directory: string, log: GeneratedLog): Promise<Round> {
  const weir = await inFolder(directory, log, (input) => WEIR.run(input))
  const bare = await inFolder(directory, log, (input) => BARE.run({ ...input, grouping: 'all' }))
  const places = await inFolder(directory, log, (input) =>
    BARE.run({ ...input, grouping: 'places' }),
  )
  return {
    weir: weir.output,
    residentBytes: weir.residentBytes,
    bare: bare.output,
    places: places.output,
  }
}

function engineFigures(rounds: readonly Round[], seconds: number): BenchResult['figures'] {
  const weir = rounds.map((round) => round.weir)
  const bare = rounds.map((round) => round.bare)
  const places = rounds.map((round) => round.places)
  const bareSeconds = median(bare.map((round) => round.seconds))
  const durableSeconds = median(weir.map((round) => round.durableSeconds))
  return [
    { name: 'Weir, to queryable', value: LINES / seconds, unit: 'lines/s', note: describe(weir) },
    { name: 'Weir, to durable', value: LINES / durableSeconds, unit: 'lines/s' },
    {
      name: 'bare engine, one statement',
      value: LINES / bareSeconds,
      unit: 'lines/s',
      note: describe(bare),
    },
    {
      name: 'Weir / bare engine',
      value: bareSeconds / seconds,
      unit: '×',
      goal: { atLeast: BARE_RATIO_MIN },
    },
    {
      name: 'Weir / bare engine, places only',
      value: median(places.map((round) => round.seconds)) / seconds,
      unit: '×',
      note: describe(places),
    },
  ]
}

function goaccessFigures(
  goaccess: { readonly version: string; readonly seconds: number },
  seconds: number,
): BenchResult['figures'] {
  return [
    { name: goaccess.version, value: LINES / goaccess.seconds, unit: 'lines/s' },
    {
      name: 'Weir / GoAccess',
      value: goaccess.seconds / seconds,
      unit: '×',
      goal: { atLeast: GOACCESS_RATIO_MIN },
    },
  ]
}

function describe(rounds: readonly Elapsed[]): string {
  const wall = median(rounds.map((round) => round.seconds))
  const cpu = median(rounds.map((round) => round.cpuSeconds))
  return `${wall.toFixed(2)} s, ${cpu.toFixed(2)} s of processor`
}

async function inFolder<Output>(
  directory: string,
  log: GeneratedLog,
  run: (input: LogInput) => Promise<ChildResult<Output>>,
): Promise<ChildResult<Output>> {
  const folder = join(directory, 'round')
  await mkdir(folder)
  try {
    return await run({ directory: folder, log })
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** GoAccess on the same file; a text says why it was not measured. */
function measureGoaccess(
  log: GeneratedLog,
  directory: string,
): { version: string; seconds: number } | string {
  const asked = spawnSync('goaccess', ['--version'], { encoding: 'utf8' })
  if (asked.error !== undefined) {
    return 'GoAccess is not installed (Debian: apt-get install goaccess); its ratio was not measured.'
  }
  const version = /GoAccess - [\d.]*\d/.exec(asked.stdout)?.[0] ?? 'GoAccess'
  const startMs = performance.now()
  const report = join(directory, 'goaccess.json')
  const done = spawnSync(
    'goaccess',
    [log.path, '--log-format=COMBINED', '--no-progress', '--no-global-config', '-o', report],
    { encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] },
  )
  if (done.status !== 0) return `GoAccess failed (${done.status}): ${done.stderr.slice(0, 300)}`
  return { version, seconds: (performance.now() - startMs) / 1000 }
}

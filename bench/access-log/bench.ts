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
  const weir: WeirOutput[] = []
  const bare: Elapsed[] = []
  const places: Elapsed[] = []
  let residentBytes = 0
  for (let round = 1; round <= ROUNDS; round += 1) {
    const one = await inFolder(directory, log, (input) => WEIR.run(input))
    residentBytes = Math.max(residentBytes, one.residentBytes)
    weir.push(one.output)
    const { output } = await inFolder(directory, log, (input) =>
      BARE.run({ ...input, grouping: 'all' }),
    )
    bare.push(output)
    const lean = await inFolder(directory, log, (input) =>
      BARE.run({ ...input, grouping: 'places' }),
    )
    places.push(lean.output)
    say(
      `round ${round}: Weir ${one.output.seconds.toFixed(2)} s, bare ${output.seconds.toFixed(2)} s`,
    )
  }
  const seconds = median(weir.map((round) => round.seconds))
  const bareSeconds = median(bare.map((round) => round.seconds))
  const placesSeconds = median(places.map((round) => round.seconds))
  const goaccess = measureGoaccess(log, directory)
  return {
    figures: [
      {
        name: 'Weir, to queryable',
        value: LINES / seconds,
        unit: 'lines/s',
        note: describe(weir),
      },
      {
        name: 'Weir, to durable',
        value: LINES / median(weir.map((round) => round.durableSeconds)),
        unit: 'lines/s',
      },
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
        value: placesSeconds / seconds,
        unit: '×',
        note: describe(places),
      },
      ...(typeof goaccess === 'string' ? [] : goaccessFigures(goaccess, seconds)),
      residentFigure('Weir', residentBytes),
    ],
    skipped: typeof goaccess === 'string' ? [goaccess] : [],
  }
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

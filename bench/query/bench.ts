import { generateLog } from '../access-log/generate.ts'
import {
  median,
  quantile,
  residentFigure,
  type Bench,
  type BenchResult,
} from '../support/figure.ts'
import { ROWS_PER_DOMAIN } from './fill.ts'
import { QUERY } from './scripts.ts'

const ROLLUP_ROWS_MIN = 100_000_000
const LOG_LINES = 2_000_000

/** Times the bare query's time. */
const SERIES_RATIO_MAX = 2
const POINT_P99_MS_MAX = 25

export const query: Bench = {
  name: 'query',
  summary: 'call 2 over a rollup of 100 M rows, and small questions during a load',
  run: measure,
}

async function measure(directory: string, say: (text: string) => void): Promise<BenchResult> {
  const log = await generateLog(LOG_LINES)
  const domains = Math.ceil(ROLLUP_ROWS_MIN / ROWS_PER_DOMAIN)
  say(`filling the rollup for ${domains} domains`)
  const { output, residentBytes } = await QUERY.run({ directory, log, domains })
  const { rollup } = output
  say(
    `${rollup.rows} rows, ${rollup.bytes} bytes in ${rollup.parts} parts, ${output.fillSeconds} s`,
  )
  const ms = (seconds: readonly number[], fraction: number): number =>
    quantile(seconds, fraction) * 1000
  const series = median(output.seriesSeconds)
  const bare = median(output.bareSeconds)
  return {
    figures: [
      {
        name: 'rollup',
        value: rollup.rows,
        unit: 'rows',
        note: `${Math.round(rollup.bytes / 1e6)} MB in ${rollup.parts} parts`,
      },
      {
        name: 'call 2, 30 days, all provinces',
        value: series * 1000,
        unit: 'ms',
        note: `${output.points} points, ${Math.round(output.answerBytes / 1e5) / 10} MB`,
      },
      { name: 'bare engine, the same', value: bare * 1000, unit: 'ms' },
      {
        name: 'call 2 / bare engine',
        value: series / bare,
        unit: '×',
        goal: { atMost: SERIES_RATIO_MAX },
      },
      {
        name: 'province × carrier × day, p50',
        value: ms(output.quietPointSeconds, 0.5),
        unit: 'ms',
      },
      {
        name: 'province × carrier × day, p99',
        value: ms(output.quietPointSeconds, 0.99),
        unit: 'ms',
      },
      { name: 'the same during a load, p50', value: ms(output.pointSeconds, 0.5), unit: 'ms' },
      {
        name: 'the same during a load, p99',
        value: ms(output.pointSeconds, 0.99),
        unit: 'ms',
        goal: { atMost: POINT_P99_MS_MAX },
        note: `${output.pointSeconds.length} questions, ${output.linesLoaded} lines loaded meanwhile`,
      },
      residentFigure('Weir', residentBytes),
    ],
    skipped: [],
  }
}

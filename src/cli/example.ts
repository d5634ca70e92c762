import { createWriteStream } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Command, InvalidArgumentError } from 'commander'
import { stringify } from 'yaml'
import { AppError } from '../core/errors.ts'
import { DAY_MS, FIVE_MINUTES_MS, floorTo } from '../core/period.ts'
import { accessLogPieces, EXAMPLE_LOG_FORMAT, type ExamplePlan } from '../example/access-log.ts'
import { exampleCatalog } from '../example/catalog.ts'
import { eipRecordPieces, mnaRecordPieces } from '../example/records.ts'
import type { CliContext } from './context.ts'
import { humanBytes } from './query-table.ts'

interface ExampleOptions {
  readonly out: string
  readonly days: number
  readonly lines: number
  readonly seed: number
  readonly end?: number
}

/** Usage older than this is not accepted any more. */
const DAYS_MAX = 34
const LINES_MAX = 100_000_000
const SEED_MAX = 2 ** 32 - 1

/** `weir example`: writes a catalog and its usage as files, the same for the same seed and end. */
export function exampleCommand(context: CliContext): Command {
  return new Command('example')
    .summary('Write an example to try Weir with: a catalog, a log, and records.')
    .description(
      'Write an example to try Weir with: a catalog, an access log, and records of elastic IPs ' +
        'and gateways. The same seed, days, lines and end give the same bytes on every machine.',
    )
    .requiredOption('--out <directory>', 'where to write; made when it is missing')
    .option('--days <days>', 'days of usage', parseNumber('days', 1, DAYS_MAX), 3)
    .option(
      '--lines <lines>',
      'lines of the access log',
      parseNumber('lines', 1, LINES_MAX),
      200_000,
    )
    .option('--seed <number>', 'another number, other usage', parseNumber('seed', 0, SEED_MAX), 1)
    .option(
      '--end <time>',
      'end of the usage, such as 2026-11-21T15:30:00+08:00 (default: now)',
      parseEnd,
    )
    .addHelpText('after', HELP)
    .action(async (options: ExampleOptions) => {
      await writeExample(options, context)
    })
}

const HELP = `
Writes into the directory:
  catalog.yaml  one account with two projects, domains, elastic IPs, gateway devices, packages and
                sources, for \`weir apply\`
  access.log    one line per request, ascending by time, in this log_format:
                ${EXAMPLE_LOG_FORMAT.replace(/ (?=")/, '\n                ')}
  eip.ndjson    bytes in and out of each elastic IP, every five minutes
  mna.ndjson    bytes up and down of each device by access region, every five minutes

Domains and addresses are those reserved for documentation; clients are spread over all provinces
and carriers of China and some countries abroad.

Examples:
  $ weir example --out example
  $ weir example --out week --days 7 --lines 2000000
  $ weir example --out fixed --seed 1 --end 2026-11-21T15:30:00+08:00`

function parseNumber(name: string, min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text)
    if (/^\d{1,10}$/.test(text) && value >= min && value <= max) return value
    throw new InvalidArgumentError(`--${name} takes a whole number from ${min} to ${max}.`)
  }
}

function parseEnd(text: string): number {
  const endMs = /(?:Z|[+-]\d{2}:?\d{2})$/i.test(text) ? Date.parse(text) : Number.NaN
  if (endMs >= Date.UTC(2000, 0) && endMs < Date.UTC(2200, 0)) return endMs
  throw new InvalidArgumentError('Write a time with its offset, such as 2026-11-21T15:30:00+08:00.')
}

async function writeExample(options: ExampleOptions, context: CliContext): Promise<void> {
  const { out, days, lines, seed } = options
  const endMs = floorTo(options.end ?? context.clock.nowMs(), FIVE_MINUTES_MS)
  const plan: ExamplePlan = { seed, startMs: endMs - days * DAY_MS, endMs, lines }
  try {
    await mkdir(out, { recursive: true })
    await writeFile(join(out, 'catalog.yaml'), catalogText(endMs))
    const written = [
      await writePieces(join(out, 'access.log'), accessLogPieces(plan)),
      await writePieces(join(out, 'eip.ndjson'), eipRecordPieces(plan)),
      await writePieces(join(out, 'mna.ndjson'), mnaRecordPieces(plan)),
    ]
    context.write(summary(plan, out, written))
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    throw new AppError(
      'parameter_invalid',
      `${path ?? out} cannot be written (${code}). Give --out a directory that may be written to.`,
      { cause: error, field: 'out' },
    )
  }
}

function catalogText(endMs: number): string {
  const head = [
    '# The catalog of the example. See what it would change: weir apply catalog.yaml --dry-run',
    '# Entries are known by name: change this file and apply it again.',
    '',
  ]
  return head.join('\n') + stringify(exampleCatalog(endMs), { aliasDuplicateObjects: false })
}

interface Written {
  readonly path: string
  readonly lines: number
  readonly bytes: number
}

async function writePieces(path: string, pieces: Iterable<string>): Promise<Written> {
  let lines = 0
  let bytes = 0
  function* counted(): Generator<Buffer> {
    for (const piece of pieces) {
      const part = Buffer.from(piece, 'latin1')
      bytes += part.length
      for (let at = part.indexOf(LF); at !== -1; at = part.indexOf(LF, at + 1)) lines += 1
      yield part
    }
  }
  await pipeline(Readable.from(counted()), createWriteStream(path))
  return { path, lines, bytes }
}

const LF = 10

function summary(plan: ExamplePlan, out: string, written: readonly Written[]): string {
  const isoText = (ms: number): string => new Date(ms).toISOString().replace('.000Z', 'Z')
  const files = written.map(
    ({ path, lines, bytes }) =>
      `  ${path}  ${lines.toLocaleString('en-US')} lines, ${humanBytes(bytes)}`,
  )
  const post = (meter: string): string[] => [
    `  curl -sS 'http://127.0.0.1:8080/v1/usage/${meter}?wait=loaded' --data-binary @${join(out, `${meter}.ndjson`)} \\`,
    `    -H 'Content-Type: application/x-ndjson' -H 'Authorization: Bearer <token of example-${meter}>'`,
  ]
  return [
    `Usage from ${isoText(plan.startMs)} to ${isoText(plan.endMs)}:`,
    `  ${join(out, 'catalog.yaml')}`,
    ...files,
    '',
    'To take it in on a server that was started with --empty:',
    `  weir apply ${join(out, 'catalog.yaml')}          # shows an ingest token for each source`,
    '  weir key create --account example     # for signed calls',
    `  weir ingest access-log ${join(out, 'access.log')} --source example-access-log \\`,
    `    --format '${EXAMPLE_LOG_FORMAT}'`,
    ...post('eip'),
    ...post('mna'),
    '',
  ].join('\n')
}

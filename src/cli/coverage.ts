import { Command } from 'commander'
import type { CliContext } from './context.ts'
import { renderEntries } from './entry-table.ts'
import { addAddressOptions, addressOf, request, type AddressOptions } from './server-address.ts'

interface CoverageOptions extends AddressOptions {
  readonly source?: string
  readonly account?: string
  readonly day?: string
  readonly zone?: string
  readonly json?: true
}

interface Span {
  readonly start: string
  readonly end: string
}

/** What the server answers, as far as it is shown. */
export interface CoverageAnswer extends Span {
  readonly knownUntil: string
  readonly expectedSlots: number
  readonly receivedSlots: number
  readonly percent: string | null
  readonly sources: readonly {
    readonly source: string
    readonly expectedSlots: number
    readonly receivedSlots: number
    readonly percent: string | null
    readonly gapCount: number
    readonly gaps: readonly Span[]
  }[]
}

const COLUMNS = ['source', 'expected', 'received', 'percent', 'gaps', 'longest gap']

const HELP = `
Counts 5-minute slots. A slot is expected of a source from the first in which it
was heard of; it is received when usage of it moved in it, or the source said that
there was none. Sources of which nothing is expected (--expects sporadic) are shown
only when something of them is known to be missing.

Examples:
  $ weir coverage
  $ weir coverage --account acme --day 2026-11-20
  $ weir coverage --source edge-1 --day 2026-11 --json`

/** `weir coverage`: shows how completely sources reported. */
export function coverageCommand(context: CliContext): Command {
  return addAddressOptions(
    new Command('coverage')
      .description('Show how completely sources reported, in 5-minute slots.')
      .option('--source <name>', 'only this source')
      .option('--account <account>', 'id or name; only sources that report for it')
      .option('--day <day>', 'a day (2026-11-20) or a month; default the last 24 hours')
      .option('--zone <zone>', 'IANA zone of the day; default the account’s')
      .option('--json', 'print JSON (default when the output is no terminal)'),
  )
    .addHelpText('after', HELP)
    .action(async (options: CoverageOptions) => {
      const { source, account, day, zone } = options
      const asked = Object.entries({ source, account, day, zone }).filter(
        (pair): pair is [string, string] => pair[1] !== undefined,
      )
      const path = `/v1/coverage?${new URLSearchParams(asked).toString()}`
      const text = await request(addressOf(context, options), 'GET', path)
      const isJson = options.json === true || !context.isTerminal
      context.write(isJson ? `${text}\n` : renderCoverage(JSON.parse(text) as CoverageAnswer))
    })
}

/** Lays coverage out for a terminal: a row per source, then all of them together. */
export function renderCoverage(answer: CoverageAnswer): string {
  const rows = answer.sources.map((source) => ({
    source: source.source,
    expected: String(source.expectedSlots),
    received: String(source.receivedSlots),
    percent: source.percent,
    gaps: source.gapCount === 0 ? '' : String(source.gapCount),
    'longest gap': source.gaps[0] === undefined ? '' : spanText(source.gaps[0]),
  }))
  const { percent, receivedSlots, expectedSlots } = answer
  const sum =
    percent === null
      ? 'nothing was expected'
      : `${percent} % (${receivedSlots} of ${expectedSlots} slots)`
  const known = answer.knownUntil === answer.end ? '' : `, known until ${short(answer.knownUntil)}`
  return `${renderEntries(rows, COLUMNS)}${spanText(answer)}${known}: ${sum}\n`
}

function spanText({ start, end }: Span): string {
  return `${short(start)} – ${short(end)}`
}

/** Slots begin on whole minutes. */
function short(instant: string): string {
  return instant.replace(/:00\.000Z$/, 'Z')
}

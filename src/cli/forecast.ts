import { Command, Option } from 'commander'
import { amountsOf, localText, renderHead, type ShownBalance } from './book-table.ts'
import type { CliContext } from './context.ts'
import { renderEntries } from './entry-table.ts'
import { humanBytes } from './query-table.ts'
import { addAddressOptions, addressOf, request, type AddressOptions } from './server-address.ts'

interface ForecastOptions extends AddressOptions {
  readonly meter: string
  readonly json?: true
}

interface ShownEnd {
  readonly leftBytes: number
  readonly runsOut: string | null
  readonly earliest: string | null
  readonly latest: string | null
}

interface ShownForecast extends ShownBalance {
  readonly historyDays: number
  readonly reason: string | null
  readonly forecast: {
    readonly until: string
    readonly packages: readonly (ShownEnd & {
      readonly id: string
      readonly end: string | null
      readonly unusedBytes: number
    })[]
    readonly pools: readonly (ShownEnd & { readonly area: string; readonly kind: string })[]
    readonly monthEnd: readonly {
      readonly currency: string
      readonly expected: string
      readonly low: string
      readonly high: string
    }[]
  } | null
}

const HELP = `
Four of five futures lie between the two dates and between the two amounts, if the
traffic goes on as it did; "-" means not before it expires, nor within 400 days. A
forecast needs two whole weeks of usage. The month is priced by the pack in force now.

Examples:
  $ weir forecast acc-example
  $ weir forecast acc-example --meter eip --json`

/** `weir forecast`: shows when packages run out and what the month will come to. */
export function forecastCommand(context: CliContext): Command {
  return addAddressOptions(
    new Command('forecast')
      .description('Show when packages run out and what the month will come to.')
      .argument('<account>', 'id, name or number')
      .addOption(
        new Option('--meter <meter>', 'whose book').choices(['cdn', 'eip', 'mna']).default('cdn'),
      )
      .option('--json', 'print JSON (default when the output is no terminal)'),
  )
    .addHelpText('after', HELP)
    .action(async (account: string, options: ForecastOptions) => {
      const { meter } = options
      const query = new URLSearchParams({ account, meter }).toString()
      const answer = await request(addressOf(context, options), 'GET', `/v1/forecast?${query}`)
      const json = options.json === true || !context.isTerminal
      context.write(json ? `${answer}\n` : renderForecast(JSON.parse(answer) as ShownForecast))
    })
}

function renderForecast(shown: ShownForecast): string {
  const { forecast, month, zone } = shown
  const head = `${renderHead(shown)}${month} to date: ${amountsOf(shown)}\n`
  if (forecast === null) return `${head}${shown.reason ?? ''}\n`
  const when = (text: string | null): string => (text === null ? '-' : localText(text, zone))
  const rows = [
    ...forecast.packages.map((entry) => ({
      ...entry,
      what: entry.id,
      ends: entry.end === null ? 'never' : when(entry.end),
      unused: entry.unusedBytes > 0 ? humanBytes(entry.unusedBytes) : '-',
    })),
    ...forecast.pools.map((pool) => ({
      ...pool,
      what: `all ${pool.kind} ${pool.area}`,
      ends: '-',
      unused: '-',
    })),
  ].map(({ what, ends, unused, leftBytes, runsOut, earliest, latest }) => ({
    package: what,
    left: humanBytes(leftBytes),
    // What is empty runs out at no other moment than now.
    'runs out': leftBytes === 0 ? 'used up' : when(runsOut),
    earliest: leftBytes === 0 ? '-' : when(earliest),
    latest: leftBytes === 0 ? '-' : when(latest),
    ends,
    'lost then': unused,
  }))
  const columns = ['package', 'left', 'runs out', 'earliest', 'latest', 'ends', 'lost then']
  const ends = forecast.monthEnd.map(
    ({ currency, expected, low, high }) =>
      `${month} at its end: ${expected} ${currency}, between ${low} and ${high}\n`,
  )
  const table = rows.length === 0 ? '' : renderEntries(rows, columns)
  return `${head}${ends.join('')}${table}`
}

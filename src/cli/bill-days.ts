import { Command, Option } from 'commander'
import { formatIn, formatTotals, type WireMoney } from './bill-text.ts'
import type { CliContext } from './context.ts'
import { renderEntries } from './entry-table.ts'
import { addAddressOptions, addressOf, type AddressOptions, request } from './server-address.ts'

interface DaysOptions extends AddressOptions {
  readonly meter: string
  readonly month?: string
  readonly json?: true
}

interface WireDays {
  readonly zone: string
  readonly items: readonly {
    readonly start: string
    readonly state: string
    readonly amounts?: readonly WireMoney[]
    readonly hash?: string
  }[]
}

const HELP = `
A day is open until it is over, settling until late usage has been waited for, then
closed for good. It is adjusted when late usage came all the same: the difference is on
the next bill, and the amount here stays what was closed. What is priced by the month is
on the bill, not here.

Example:
  $ weir bill days acc-example --meter cdn --month 2026-11`

/** `weir bill days` */
export function billDaysCommand(context: CliContext): Command {
  return addAddressOptions(
    new Command('days')
      .description('List the days of a month and where each stands.')
      .argument('<account>', 'id, name or number')
      .addOption(
        new Option('--meter <meter>', 'whose book').choices(['cdn', 'eip', 'mna']).default('cdn'),
      )
      .option('--month <month>', 'local month, such as 2026-11 (default: the current one)')
      .option('--json', 'print JSON (default when the output is no terminal)'),
  )
    .addHelpText('after', HELP)
    .action(async (account: string, options: DaysOptions) => {
      const { meter, month } = options
      const query = new URLSearchParams({
        account,
        meter,
        ...(month !== undefined && { month }),
      }).toString()
      const answer = await request(addressOf(context, options), 'GET', `/v1/books/days?${query}`)
      const json = options.json === true || !context.isTerminal
      context.write(json ? `${answer}\n` : renderDays(JSON.parse(answer) as WireDays))
    })
}

function renderDays({ zone, items }: WireDays): string {
  const entries = items.map(({ start, state, amounts, hash }) => ({
    day: formatIn(zone, start).slice(0, 10),
    state,
    amount: amounts === undefined || amounts.length === 0 ? '-' : formatTotals(amounts),
    sha256: hash === undefined ? '-' : `${hash.slice(0, 12)}…`,
  }))
  return renderEntries(entries, ['day', 'state', 'amount', 'sha256'])
}

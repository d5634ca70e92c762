import { Command, Option } from 'commander'
import { renderBalance, type ShownBalance } from './book-table.ts'
import type { CliContext } from './context.ts'
import { addAddressOptions, addressOf, request, type AddressOptions } from './server-address.ts'

interface BalanceOptions extends AddressOptions {
  readonly meter: string
  readonly json?: true
}

/** `weir balance`: shows where an account's packages and its running month stand. */
export function balanceCommand(context: CliContext): Command {
  return addAddressOptions(
    new Command('balance')
      .description('Show what is left of packages and what the month costs so far.')
      .argument('<account>', 'id, name or number')
      .addOption(
        new Option('--meter <meter>', 'whose book').choices(['cdn', 'eip', 'mna']).default('cdn'),
      )
      .option('--json', 'print JSON (default when the output is no terminal)'),
  )
    .addHelpText('after', '\nExample:\n  $ weir balance acc-example --meter cdn')
    .action(async (account: string, options: BalanceOptions) => {
      const { meter } = options
      const query = new URLSearchParams({ account, meter }).toString()
      const answer = await request(addressOf(context, options), 'GET', `/v1/balance?${query}`)
      const json = options.json === true || !context.isTerminal
      context.write(json ? `${answer}\n` : renderBalance(JSON.parse(answer) as ShownBalance))
    })
}

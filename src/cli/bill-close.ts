import { Command, Option } from 'commander'
import type { CliContext } from './context.ts'
import { toInstant } from './query.ts'
import { addAddressOptions, addressOf, type AddressOptions, request } from './server-address.ts'

interface CloseOptions extends AddressOptions {
  readonly account?: string
  readonly meter?: string
  readonly until?: string
  readonly json?: true
}

interface WireReport {
  readonly days: number
  readonly adjustments: number
  readonly bills: readonly string[]
  readonly rebuilt: readonly string[]
  readonly failed: readonly {
    readonly accountId: string
    readonly meter: string
    readonly reason: string
  }[]
}

/** `weir bill close` */
export function billCloseCommand(context: CliContext): Command {
  return addAddressOptions(
    new Command('close')
      .description('Close days and months now, without waiting until they have settled.')
      .option('--account <account>', 'only of this account: its id, name or number')
      .addOption(new Option('--meter <meter>', 'only of this meter').choices(['cdn', 'eip', 'mna']))
      .option('--until <time>', 'what ends by then: ISO 8601 with an offset, or 6h for hours ago'),
  )
    .option('--json', 'print JSON (default when the output is no terminal)')
    .addHelpText(
      'after',
      `
What is closed never changes: usage that comes later is billed as an adjustment.
Without --until everything that has ended is closed.

Examples:
  $ weir bill close
  $ weir bill close --account acc-example --until 2026-11-01T00:00:00+08:00`,
    )
    .action(async ({ account, meter, until, json, ...options }: CloseOptions) => {
      const body = {
        ...(account !== undefined && { account }),
        ...(meter !== undefined && { meter }),
        ...(until !== undefined && { until: toInstant(until, context.clock.nowMs()) }),
      }
      const text = await request(addressOf(context, options), 'POST', '/v1/books/close', body)
      const report = JSON.parse(text) as WireReport
      context.write(
        json === true || !context.isTerminal
          ? `${JSON.stringify(report, null, 2)}\n`
          : renderReport(report),
      )
    })
}

function renderReport({ days, adjustments, bills, rebuilt, failed }: WireReport): string {
  return [
    `${days} days closed, ${adjustments} adjustments, ${bills.length} bills\n`,
    ...bills.map((id) => `  ${id}\n`),
    ...(rebuilt.length === 0 ? [] : [`rebuilt from the usage: ${rebuilt.join(', ')}\n`]),
    ...failed.map(
      ({ accountId, meter, reason }) => `not closed: ${accountId} ${meter}: ${reason}\n`,
    ),
  ].join('')
}

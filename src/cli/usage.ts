import { Command, Option } from 'commander'
import { floorTo, MINUTE_MS } from '../core/period.ts'
import type { CliContext } from './context.ts'
import { download } from './download.ts'
import { toInstant } from './query.ts'
import { addAddressOptions, addressOf, type AddressOptions } from './server-address.ts'

interface ExportOptions extends AddressOptions {
  readonly meter: string
  readonly account: string
  readonly start: string
  readonly end: string
  readonly open?: true
  readonly output: string
}

/** `weir usage …` */
export function usageCommand(context: CliContext): Command {
  return new Command('usage')
    .description('Measured usage, as it is stored.')
    .addCommand(exportCommand(context))
}

function exportCommand(context: CliContext): Command {
  return addAddressOptions(
    new Command('export')
      .description('Write measured usage as a Parquet file: a row per record or minute.')
      .addOption(
        new Option('--meter <meter>', 'what was measured')
          .choices(['cdn', 'eip', 'mna'])
          .makeOptionMandatory(),
      )
      .requiredOption('--account <account>', 'whose usage: id, name or number')
      .requiredOption('--start <time>', 'ISO 8601 with an offset, or 30d for days ago')
      .requiredOption('--end <time>', 'exclusive; likewise')
      .requiredOption('-o, --output <file>', 'where to')
      .option('--open', 'everything that is loaded, not only what closed days were made of'),
  )
    .addHelpText(
      'after',
      `
Only days that are closed are exported, with the usage that they were closed with:
it adds up to what is billed. Usage that came later is exported with --open.

Example:
  $ weir usage export --meter cdn --account acc-example \\
      --start 2026-10-01T00:00:00+08:00 --end 2026-11-01T00:00:00+08:00 -o october.parquet`,
    )
    .action(async ({ output, ...options }: ExportOptions) => {
      // Usage is kept by the minute, and an age such as 30d means no second in particular.
      const nowMs = floorTo(context.clock.nowMs(), MINUTE_MS)
      const query = new URLSearchParams({
        meter: options.meter,
        account: options.account,
        start: String(toInstant(options.start, nowMs)),
        end: String(toInstant(options.end, nowMs)),
        ...(options.open === true && { open: 'true' }),
      })
      const path = `/v1/usage/export?${query.toString()}`
      const { headers, bytes } = await download(addressOf(context, options), path, output)
      const days = headers.get('x-weir-closed-days')
      const closed = `${days} closed ${days === '1' ? 'day' : 'days'}`
      const what = days === null ? 'all that is loaded' : closed
      const span = `${headers.get('x-weir-start')} to ${headers.get('x-weir-end')}`
      context.write(`${output}: ${bytes} bytes, ${what}, ${span}\n`)
    })
}

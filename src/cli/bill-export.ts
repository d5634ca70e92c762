import { Command, Option } from 'commander'
import { billPath } from './bill-text.ts'
import type { CliContext } from './context.ts'
import { download } from './download.ts'
import { AppError } from '../core/errors.ts'
import { addAddressOptions, addressOf, type AddressOptions, request } from './server-address.ts'

interface ExportOptions extends AddressOptions {
  readonly format: string
  readonly output?: string
}

/** `weir bill export` */
export function billExportCommand(context: CliContext): Command {
  return addAddressOptions(
    new Command('export')
      .description('Write a bill as a file for people or other systems.')
      .argument('<bill>', 'its id')
      .addOption(
        new Option('--format <format>', 'what to write')
          .choices(['json', 'csv', 'focus-csv', 'focus-json', 'pdf'])
          .default('json'),
      )
      .option('-o, --output <file>', 'where to (default: the standard output; needed for pdf)'),
  )
    .addHelpText(
      'after',
      `
focus-csv and focus-json have the columns of FOCUS, which cost tools read.

Examples:
  $ weir bill export acc-example.cdn.2026-10 --format pdf -o october.pdf
  $ weir bill export acc-example.cdn.2026-10 --format focus-csv > october.csv`,
    )
    .action(async (id: string, { format, output, ...options }: ExportOptions) => {
      const path = billPath(id, `/export?format=${format}`)
      const address = addressOf(context, options)
      if (output !== undefined) {
        const { bytes } = await download(address, path, output)
        context.write(`${output}: ${bytes} bytes\n`)
        return
      }
      if (format === 'pdf') {
        throw new AppError('parameter_missing', 'Name the file to write the PDF to with -o.')
      }
      context.write(await request(address, 'GET', path))
    })
}

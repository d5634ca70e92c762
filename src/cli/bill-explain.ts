import { Command } from 'commander'
import { parseCount } from './admin-command.ts'
import { renderExplanation, type WireExplained } from './bill-explanation-text.ts'
import { billPath } from './bill-text.ts'
import type { CliContext } from './context.ts'
import { addAddressOptions, addressOf, type AddressOptions, request } from './server-address.ts'

interface ExplainOptions extends AddressOptions {
  readonly line: number
  readonly json?: true
}

/** `weir bill explain` */
export function billExplainCommand(context: CliContext): Command {
  return addAddressOptions(
    new Command('explain')
      .description('Show how a line came about: its slots, packages, tiers and the arithmetic.')
      .argument('<bill>', 'its id')
      .requiredOption('--line <number>', 'which line, from 1', parseCount),
  )
    .option('--json', 'print JSON (default when the output is no terminal)')
    .addHelpText(
      'after',
      `
The line is computed again from the usage that it was made of; what came later is
left out. Exit code 1 when that does not give the line.

Example:
  $ weir bill explain acc-example.cdn.2026-10 --line 3`,
    )
    .action(async (id: string, { line, json, ...options }: ExplainOptions) => {
      const path = billPath(id, `/lines/${line}/explanation`)
      const text = await request(addressOf(context, options), 'GET', path)
      const explained = JSON.parse(text) as WireExplained
      context.write(
        json === true || !context.isTerminal
          ? `${JSON.stringify(explained, null, 2)}\n`
          : renderExplanation(explained),
      )
      if (!explained.explanation.agrees) context.exitWith(1)
    })
}

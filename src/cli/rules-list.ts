import { Command } from 'commander'
import { readShippedRules, shippedRulePacks } from '../config/rule-files.ts'
import { hashPack } from '../rating/hash-pack.ts'
import { parseRulePack } from '../rating/rule-pack.ts'
import type { Wire } from './admin-client.ts'
import type { CliContext } from './context.ts'
import { renderEntries } from './entry-table.ts'
import { askIfThere } from './known-pack.ts'
import { addAddressOptions, type AddressOptions } from './server-address.ts'

interface ListOptions extends AddressOptions {
  readonly json?: true
}

const COLUMNS = ['name', 'version', 'origin', 'currency', 'meters', 'rules', 'description']

/** `weir rules list`: the packs of a running server, or without one those that come with Weir. */
export function rulesListCommand(context: CliContext): Command {
  return addAddressOptions(
    new Command('list')
      .description('List the rule packs that come with Weir and those that were added.')
      .option('--json', 'print JSON (default when the output is no terminal)'),
  )
    .addHelpText(
      'after',
      `
Without a running server the packs that come with Weir are listed.

Example:
  $ weir rules list`,
    )
    .action(async (options: ListOptions) => {
      const known = await askIfThere(context, options, (client) => client.all('/rule-packs'))
      const entries = known ?? listShipped()
      const note =
        known === undefined ? 'No server was asked: packs that were added are missing.\n' : ''
      context.write(
        options.json === true || !context.isTerminal
          ? `${JSON.stringify(entries, null, 2)}\n`
          : renderEntries(entries, COLUMNS) + note,
      )
    })
}

function listShipped(): readonly Wire[] {
  return shippedRulePacks().map((name) => {
    const { file, text } = readShippedRules(name)
    const pack = parseRulePack(text, file)
    const { version, currency, meters, rules, description } = pack
    const counted = { currency, meters, rules: rules.length, description }
    const common = { hash: hashPack(pack), name: pack.name, version }
    return { ...common, ...counted, origin: 'shipped', recordedAt: null }
  })
}

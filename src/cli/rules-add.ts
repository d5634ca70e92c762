import { Command } from 'commander'
import { readRuleFile } from '../config/rule-files.ts'
import { parseRulePack } from '../rating/rule-pack.ts'
import { createAdminClient } from './admin-client.ts'
import type { CliContext } from './context.ts'
import { describeUnpriced } from './rules-summary.ts'
import { addAddressOptions, addressOf, type AddressOptions } from './server-address.ts'

interface AddOptions extends AddressOptions {
  readonly json?: true
}

/** `weir rules add`: gives a rule pack to a running server, for accounts to be billed by. */
export function rulesAddCommand(context: CliContext): Command {
  return addAddressOptions(
    new Command('add')
      .description('Add a rule pack, for accounts to be billed by.')
      .argument('<file>', 'rule file, or - for the standard input')
      .option('--json', 'print JSON (default when the output is no terminal)'),
  )
    .addHelpText(
      'after',
      `
What is added is kept for ever as it is. A changed pack is added with a higher
version; accounts keep the version that they were switched to.

Example:
  $ weir rules add my-cdn.yaml
  $ weir mode set acme --meter cdn --rules my-cdn`,
    )
    .action(async (name: string, options: AddOptions) => {
      const { file, text } = readRuleFile(name)
      // A mistake in the pack needs no server to be found.
      const pack = parseRulePack(text, file)
      const { url, token } = addressOf(context, options)
      const answer = await createAdminClient(url, token).send('POST', '/rule-packs', {
        pack: text,
        file,
      })
      const hash = String(answer['hash'])
      context.write(
        options.json === true || !context.isTerminal
          ? `${JSON.stringify(answer, null, 2)}\n`
          : [
              `${pack.name} ${pack.version} can be billed by (sha256 ${hash}).`,
              ...describeUnpriced(pack),
              '',
            ].join('\n'),
      )
    })
}

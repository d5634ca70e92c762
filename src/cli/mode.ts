import type { Command } from 'commander'
import { METER_NAMES } from '../meters/meter.ts'
import { PAGE_OPTIONS, type VerbPlan, nounCommand, runList } from './admin-command.ts'
import type { CliContext } from './context.ts'
import { collectGroup, type Groups } from './group-option.ts'

const METER = { flags: '--meter <meter>', description: 'what is billed', choices: METER_NAMES }

const VERBS: readonly VerbPlan[] = [
  {
    usage: 'show <account>',
    summary: 'Show by which rule pack an account is, was and will be billed.',
    example: 'weir mode show acme --meter cdn',
    columns: ['meter', 'localFrom', 'rules', 'version', 'state', 'actor'],
    options: [METER, ...PAGE_OPTIONS],
    run: (client, [account = ''], fields) =>
      runList(client, '/charge-modes', { ...fields, account }),
  },
  {
    usage: 'set <account>',
    summary: 'Bill an account by another rule pack from its next local midnight on.',
    example: 'weir mode set acme --meter cdn --rules generic-95',
    options: [
      { ...METER, required: true },
      { flags: '--rules <pack>', description: 'name of the rule pack', required: true },
      {
        flags: '--group <name=resources>',
        description: 'resources billed as one, by id or name; may be repeated',
        parse: (text, before) => collectGroup(text, before as Groups | undefined),
      },
    ],
    run: (client, [account = ''], { group, ...fields }) =>
      client.send('POST', '/charge-modes', {
        ...fields,
        account,
        ...(group !== undefined && { groups: group }),
      }),
  },
]

/** `weir mode …` */
export function modeCommand(context: CliContext): Command {
  return nounCommand(
    context,
    'mode',
    'Charge modes: by which rule pack accounts are billed.',
    VERBS,
  )
}

import type { Command } from 'commander'
import { pathOf } from './admin-client.ts'
import {
  type OptionPlan,
  PAGE_OPTIONS,
  type VerbPlan,
  nounCommand,
  parseCount,
  parseYesNo,
  runList,
} from './admin-command.ts'
import type { CliContext } from './context.ts'

const FIELDS: readonly OptionPlan[] = [
  { flags: '--hosts <hosts...>', description: 'host names under which it answers' },
  { flags: '--radix-cn <1000|1024>', description: 'RadixCn of answers', parse: parseCount },
  { flags: '--radix-abroad <1000|1024>', description: 'RadixAbroad of answers', parse: parseCount },
  { flags: '--zone <zone>', description: 'time zone of new accounts' },
  {
    flags: '--response-aliases <yes|no>',
    description: 'answer also the names that only documents’ examples show',
    parse: parseYesNo,
  },
]

const VERBS: readonly VerbPlan[] = [
  {
    usage: 'list',
    summary: 'List brands.',
    example: 'weir brand list',
    columns: ['id', 'name', 'hosts', 'radixCn', 'radixAbroad', 'zone', 'responseAliases'],
    options: [{ flags: '--name <name>', description: 'only this name' }, ...PAGE_OPTIONS],
    run: (client, _args, fields) => runList(client, '/brands', fields),
  },
  {
    usage: 'show <brand>',
    summary: 'Show a brand, by id or name.',
    example: 'weir brand show Weir',
    run: (client, [ref = '']) => client.get(pathOf('brands', ref)),
  },
  {
    usage: 'create <name>',
    summary: 'Add a vendor identity that answers under its own host names.',
    example: 'weir brand create Acme --hosts api.acme.example --radix-cn 1000',
    options: FIELDS,
    run: (client, [name = ''], fields) => client.send('POST', '/brands', { ...fields, name }),
  },
  {
    usage: 'update <brand>',
    summary: 'Change what is given of a brand.',
    example: 'weir brand update Acme --response-aliases no',
    options: [{ flags: '--name <name>', description: 'new name' }, ...FIELDS],
    run: (client, [ref = ''], fields) => client.send('PATCH', pathOf('brands', ref), fields),
  },
]

/** `weir brand …` */
export function brandCommand(context: CliContext): Command {
  return nounCommand(context, 'brand', 'Brands: under which names the APIs are answered.', VERBS)
}

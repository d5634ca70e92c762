import type { Command } from 'commander'
import { pathOf } from './admin-client.ts'
import {
  type OptionPlan,
  PAGE_OPTIONS,
  type VerbPlan,
  nounCommand,
  parseCount,
  runList,
} from './admin-command.ts'
import type { CliContext } from './context.ts'

const COLUMNS = ['id', 'number', 'name', 'email', 'zone', 'parentId', 'createdAt']

const CREATE: readonly OptionPlan[] = [
  { flags: '--email <address>', description: 'address of a person' },
  { flags: '--brand <brand>', description: 'id or name; the first brand when absent' },
  { flags: '--parent <account>', description: 'makes a sub-account of this root account' },
  { flags: '--zone <zone>', description: 'time zone of the billing day, such as Asia/Shanghai' },
  {
    flags: '--number <number>',
    description: 'the integer AccountId to keep from a vendor',
    parse: parseCount,
  },
  { flags: '--default-project <name>', description: 'name of the project made with it' },
]

const VERBS: readonly VerbPlan[] = [
  {
    usage: 'list',
    summary: 'List accounts.',
    example: 'weir account list --root true',
    columns: COLUMNS,
    options: [
      { flags: '--name <name>', description: 'only this name' },
      { flags: '--brand <brand>', description: 'only of this brand' },
      { flags: '--parent <account>', description: 'only sub-accounts of this account' },
      { flags: '--root <true|false>', description: 'true: without sub-accounts' },
      ...PAGE_OPTIONS,
    ],
    run: (client, _args, fields) => runList(client, '/accounts', fields),
  },
  {
    usage: 'show <account>',
    summary: 'Show an account, by id, name or number.',
    example: 'weir account show acme',
    run: (client, [ref = '']) => client.get(pathOf('accounts', ref)),
  },
  {
    usage: 'create <name>',
    summary: 'Add an account with its default project, or a sub-account.',
    example: 'weir account create acme --email ops@acme.example --zone Asia/Shanghai',
    options: CREATE,
    run: (client, [name = ''], fields) => client.send('POST', '/accounts', { ...fields, name }),
  },
  {
    usage: 'update <account>',
    summary: 'Change the name or e-mail address of an account.',
    example: 'weir account update acme --email billing@acme.example',
    options: [
      { flags: '--name <name>', description: 'new name' },
      { flags: '--email <address>', description: 'new address' },
    ],
    run: (client, [ref = ''], fields) => client.send('PATCH', pathOf('accounts', ref), fields),
  },
]

/** `weir account …` */
export function accountCommand(context: CliContext): Command {
  return nounCommand(context, 'account', 'Accounts and sub-accounts: who pays.', VERBS)
}

import type { Command } from 'commander'
import { adminTokenResetCommand } from './admin-token-reset.ts'
import { pathOf } from './admin-client.ts'
import { PAGE_OPTIONS, type VerbPlan, nounCommand, runList } from './admin-command.ts'
import type { CliContext } from './context.ts'

const VERBS: readonly VerbPlan[] = [
  {
    usage: 'list',
    summary: 'List tokens of the admin API, without the tokens themselves.',
    example: 'weir admin-token list --active true',
    columns: ['id', 'name', 'active', 'createdAt'],
    options: [
      { flags: '--active <true|false>', description: 'true: without revoked ones' },
      ...PAGE_OPTIONS,
    ],
    run: (client, _args, fields) => runList(client, '/admin-tokens', fields),
  },
  {
    usage: 'create <name>',
    summary: 'Make a token for a person or a program; the audit log names it. It is shown once.',
    example: 'weir admin-token create terraform',
    run: (client, [name = '']) => client.send('POST', '/admin-tokens', { name }),
  },
  {
    usage: 'revoke <id>',
    summary: 'Make a token unusable; the last one cannot be revoked.',
    example: 'weir admin-token revoke tok-4f9k2mq8',
    run: (client, [id = '']) => client.send('POST', pathOf('admin-tokens', id, 'revoke')),
  },
]

/** `weir admin-token …` */
export function adminTokenCommand(context: CliContext): Command {
  const noun = nounCommand(context, 'admin-token', 'Tokens of the admin API.', VERBS)
  return noun.addCommand(adminTokenResetCommand(context))
}

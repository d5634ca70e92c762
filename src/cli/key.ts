import type { Command } from 'commander'
import { pathOf } from './admin-client.ts'
import { PAGE_OPTIONS, type VerbPlan, nounCommand, runList } from './admin-command.ts'
import type { CliContext } from './context.ts'

const ACCOUNT = { flags: '--account <account>', description: 'id or name of the account' }

const VERBS: readonly VerbPlan[] = [
  {
    usage: 'list',
    summary: 'List key pairs, without their secrets.',
    example: 'weir key list --account acme',
    columns: ['id', 'accountId', 'publicKey', 'name', 'dialect', 'active', 'createdAt'],
    options: [
      ACCOUNT,
      { flags: '--active <true|false>', description: 'true: without revoked ones' },
      ...PAGE_OPTIONS,
    ],
    run: (client, _args, fields) => runList(client, '/keys', fields),
  },
  {
    usage: 'show <key>',
    summary: 'Show a key pair, without its secret, by id or public key.',
    example: 'weir key show key-4f9k2mq8',
    run: (client, [ref = '']) => client.get(pathOf('keys', ref)),
  },
  {
    usage: 'create',
    summary: 'Make a key pair, or take in one that clients already use. The secret is shown once.',
    example: 'weir key create --account acme --name dashboards',
    options: [
      { ...ACCOUNT, required: true },
      { flags: '--name <name>', description: 'what it is for' },
      {
        flags: '--dialect <dialect>',
        description: 'which dialect may use it',
        choices: ['any', 'ucloud', 'tencent'],
      },
      { flags: '--public-key <key>', description: 'PublicKey or SecretId to keep' },
      { flags: '--secret <secret>', description: 'PrivateKey or SecretKey to keep' },
    ],
    run: (client, _args, fields) => client.send('POST', '/keys', fields),
  },
  {
    usage: 'revoke <key>',
    summary: 'Make a key pair unusable for good, by id or public key.',
    example: 'weir key revoke key-4f9k2mq8',
    run: (client, [ref = '']) => client.send('POST', pathOf('keys', ref, 'revoke')),
  },
]

/** `weir key …` */
export function keyCommand(context: CliContext): Command {
  return nounCommand(context, 'key', 'Key pairs: what clients sign their calls with.', VERBS)
}

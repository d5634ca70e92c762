import type { Command } from 'commander'
import { SOURCE_EXPECTATIONS } from '../catalog/model.ts'
import { METER_NAMES } from '../meters/meter.ts'
import { pathOf } from './admin-client.ts'
import { PAGE_OPTIONS, type VerbPlan, nounCommand, runList } from './admin-command.ts'
import type { CliContext } from './context.ts'

const ACCOUNT = {
  flags: '--account <account>',
  description: 'id or name; only resources of this account',
}

const EXPECTS = {
  flags: '--expects <what>',
  description: 'usage or a heartbeat in every five minutes, or nothing',
  choices: SOURCE_EXPECTATIONS,
} as const

const VERBS: readonly VerbPlan[] = [
  {
    usage: 'list',
    summary: 'List ways in for usage, without their tokens.',
    example: 'weir source list --active true',
    columns: ['id', 'name', 'meters', 'accountId', 'expects', 'active', 'createdAt'],
    options: [
      ACCOUNT,
      { flags: '--name <name>', description: 'only this name' },
      { flags: '--active <true|false>', description: 'true: without revoked ones' },
      ...PAGE_OPTIONS,
    ],
    run: (client, _args, fields) => runList(client, '/sources', fields),
  },
  {
    usage: 'show <source>',
    summary: 'Show a source, without its token, by id or name.',
    example: 'weir source show edge-1',
    run: (client, [ref = '']) => client.get(pathOf('sources', ref)),
  },
  {
    usage: 'create <name>',
    summary: 'Make a way in for usage. Its ingest token is shown once.',
    example: 'weir source create edge-1 --meters cdn eip',
    options: [
      {
        flags: '--meters <meters...>',
        description: `what it may report: ${METER_NAMES.join(', ')}`,
        required: true,
      },
      ACCOUNT,
      EXPECTS,
    ],
    run: (client, [name = ''], fields) => client.send('POST', '/sources', { ...fields, name }),
  },
  {
    usage: 'update <source>',
    summary: 'Change what is expected of a source from now on.',
    example: 'weir source update edge-1 --expects sporadic',
    options: [{ ...EXPECTS, required: true }],
    run: (client, [ref = ''], fields) => client.send('PATCH', pathOf('sources', ref), fields),
  },
  {
    usage: 'revoke <source>',
    summary: 'Make the token of a source unusable for good; what it reported stays.',
    example: 'weir source revoke edge-1',
    run: (client, [ref = '']) => client.send('POST', pathOf('sources', ref, 'revoke')),
  },
]

/** `weir source …` */
export function sourceCommand(context: CliContext): Command {
  return nounCommand(context, 'source', 'Sources: who may report usage.', VERBS)
}

import type { Command } from 'commander'
import { AREA_SCOPES } from '../catalog/area-scope.ts'
import { pathOf } from './admin-client.ts'
import { PAGE_OPTIONS, type VerbPlan, nounCommand, runList } from './admin-command.ts'
import type { CliContext } from './context.ts'

const ACCOUNT = { flags: '--account <account>', description: 'id or name of the account' }
const METER = {
  flags: '--meter <meter>',
  description: 'which book',
  choices: ['cdn', 'eip', 'mna'],
}

const VERBS: readonly VerbPlan[] = [
  {
    usage: 'list',
    summary: 'List alerts and where they stand.',
    example: 'weir alert list --account acme --state firing',
    columns: [
      'id',
      'name',
      'accountId',
      'meter',
      'state',
      'value',
      'threshold',
      'unit',
      'asOf',
      'problem',
    ],
    options: [
      ACCOUNT,
      METER,
      { flags: '--state <state>', description: 'only these', choices: ['ok', 'firing'] },
      ...PAGE_OPTIONS,
    ],
    run: (client, _args, fields) => runList(client, '/alerts', fields),
  },
  {
    usage: 'show <alert>',
    summary: 'Show an alert and where it stands.',
    example: 'weir alert show alt-4f9k2mq8',
    run: (client, [id = '']) => client.get(pathOf('alerts', id)),
  },
  {
    usage: 'create <name>',
    summary: 'Watch a book; crossings and recoveries are told once each.',
    example:
      'weir alert create "packages run out" --account acme --meter cdn --watch days-left --threshold 3 --emails ops@acme.example',
    options: [
      { ...ACCOUNT, required: true },
      { ...METER, required: true },
      {
        flags: '--watch <what>',
        description: 'what is watched',
        choices: ['percent-left', 'days-left', 'amount', 'bandwidth'],
        required: true,
      },
      {
        flags: '--threshold <number>',
        description: 'reaching it fires: percent, days, units of currency, bit/s',
        required: true,
      },
      {
        flags: '--recovery <number>',
        description: 'passing it recovers (default: a tenth behind the threshold)',
      },
      { flags: '--package <id>', description: 'percent-left, days-left: this one only' },
      {
        flags: '--area <area>',
        description: 'percent-left, days-left: packages of it',
        choices: AREA_SCOPES,
      },
      {
        flags: '--kind <kind>',
        description: 'percent-left, days-left: packages of it',
        choices: ['static', 'dynamic'],
      },
      { flags: '--currency <code>', description: 'amount: such as CNY' },
      {
        flags: '--direction <direction>',
        description: 'bandwidth: default out',
        choices: ['in', 'out'],
      },
      {
        flags: '--of <stretch>',
        description: 'bandwidth: the last five minutes (default), or the peak of today',
        choices: ['slot', 'day-peak'],
      },
      {
        flags: '--endpoints <ids...>',
        description: 'webhook endpoints that are told',
      },
      {
        flags: '--emails <addresses...>',
        description: 'addresses that are told',
      },
    ],
    run: (client, [name = ''], fields) => client.send('POST', '/alerts', { ...fields, name }),
  },
  {
    usage: 'delete <alert>',
    summary: 'Stop watching; what was told stays in the history.',
    example: 'weir alert delete alt-4f9k2mq8',
    run: (client, [id = '']) => client.send('DELETE', pathOf('alerts', id)),
  },
  {
    usage: 'test <alert>',
    summary: 'Send a test to every recipient; the history shows whether it arrived.',
    example: 'weir alert test alt-4f9k2mq8',
    run: (client, [id = '']) => client.send('POST', pathOf('alerts', id, 'test')),
  },
  {
    usage: 'history <alert>',
    summary: 'List what an alert told to whom, newest first.',
    example: 'weir alert history alt-4f9k2mq8 --limit 20',
    columns: ['id', 'createdAt', 'type', 'recipient', 'state', 'attempts', 'nextAt', 'reason'],
    options: PAGE_OPTIONS,
    run: (client, [alert = ''], fields) =>
      runList(client, '/alert-deliveries', { ...fields, alert }),
  },
]

const ENDPOINT: readonly VerbPlan[] = [
  {
    usage: 'list',
    summary: 'List webhook endpoints, without their secrets.',
    example: 'weir alert endpoint list',
    columns: ['id', 'name', 'url', 'createdAt'],
    options: PAGE_OPTIONS,
    run: (client, _args, fields) => runList(client, '/alert-endpoints', fields),
  },
  {
    // An argument, because the option --url names the server.
    usage: 'create <name> <target>',
    summary: 'Add a webhook endpoint by its URL. The secret that signs is shown once.',
    example: 'weir alert endpoint create chat-bot https://hooks.acme.example/weir',
    run: (client, [name = '', url = '']) => client.send('POST', '/alert-endpoints', { name, url }),
  },
  {
    usage: 'delete <endpoint>',
    summary: 'Remove a webhook endpoint that no alert uses.',
    example: 'weir alert endpoint delete hook-4f9k2mq8',
    run: (client, [id = '']) => client.send('DELETE', pathOf('alert-endpoints', id)),
  },
]

const DEAD: readonly VerbPlan[] = [
  {
    usage: 'list',
    summary: 'List notifications that were given up, newest first.',
    example: 'weir alert dead list',
    columns: ['id', 'createdAt', 'alertId', 'type', 'recipient', 'attempts', 'reason'],
    options: PAGE_OPTIONS,
    run: (client, _args, fields) =>
      runList(client, '/alert-deliveries', { ...fields, state: 'dead' }),
  },
  {
    usage: 'show <delivery>',
    summary: 'Show a notification with every attempt.',
    example: 'weir alert dead show dlv-4f9k2mq8c1d2',
    run: (client, [id = '']) => client.get(pathOf('alert-deliveries', id)),
  },
  {
    usage: 'retry <delivery>',
    summary: 'Try a notification again that was given up.',
    example: 'weir alert dead retry dlv-4f9k2mq8c1d2',
    run: (client, [id = '']) => client.send('POST', pathOf('alert-deliveries', id, 'retry')),
  },
]

/** `weir alert …` */
export function alertCommand(context: CliContext): Command {
  const command = nounCommand(context, 'alert', 'Alerts: thresholds on the books.', VERBS)
  const endpoint = nounCommand(context, 'endpoint', 'Where webhooks go.', ENDPOINT)
  const dead = nounCommand(context, 'dead', 'Notifications that were given up.', DEAD)
  return command.addCommand(endpoint).addCommand(dead)
}

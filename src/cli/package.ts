import { type Command, InvalidArgumentError } from 'commander'
import { AREA_SCOPES } from '../catalog/area-scope.ts'
import { METER_NAMES } from '../meters/meter.ts'
import { type Wire, pathOf } from './admin-client.ts'
import {
  type OptionPlan,
  PAGE_OPTIONS,
  type VerbPlan,
  nounCommand,
  parseCount,
  runList,
} from './admin-command.ts'
import type { CliContext } from './context.ts'

const ACCOUNT = { flags: '--account <account>', description: 'id or name of the account' }
const SIZE = {
  flags: '--size <volume>',
  description: 'such as "10 TB" (10^12) or "10 TiB" (2^40)',
  required: true,
} as const
const METER = { flags: '--meter <meter>', description: 'default cdn', choices: METER_NAMES }
const AREA = { flags: '--area <area>', description: 'whose clients', choices: AREA_SCOPES }
const KIND = {
  flags: '--kind <kind>',
  description: 'static, or dynamic for whole-site acceleration',
  choices: ['static', 'dynamic'],
}
const RESOURCES = {
  flags: '--resources <resource...>',
  description: 'ids or names of the only resources that it pays for',
}
const END = { flags: '--end-at <time>', description: 'end, exclusive, or "never"' }

function withEnd(fields: Wire): Wire {
  return fields['endAt'] === 'never' ? { ...fields, endAt: null } : fields
}

/** Reads `any` in the place of a list. */
function withAny(fields: Wire): Wire {
  const isAny = (value: unknown): boolean => Array.isArray(value) && value.includes('any')
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, isAny(value) ? null : value]),
  )
}

function parsePaid(text: string): Wire {
  const [, amount, currency] = /^(\S+) ([A-Z]{3})$/.exec(text) ?? []
  if (amount !== undefined && currency !== undefined) return { amount, currency }
  throw new InvalidArgumentError('Write an amount and a currency, such as "99.90 CNY".')
}

const CREATE: readonly OptionPlan[] = [
  { ...ACCOUNT, required: true },
  SIZE,
  METER,
  { ...AREA, description: 'cdn: one area; this or --areas' },
  {
    flags: '--areas <area...>',
    description: 'cdn: the areas and regions, or any',
    choices: [...AREA_SCOPES, 'any'],
  },
  { ...KIND, description: 'cdn: one kind; default static' },
  {
    flags: '--kinds <kind...>',
    description: 'cdn: the kinds, or any',
    choices: ['static', 'dynamic', 'any'],
  },
  { flags: '--projects <project...>', description: 'ids or names of the only projects' },
  RESOURCES,
  { flags: '--windows <window...>', description: 'only at these local times, such as 00:00-08:00' },
  { flags: '--id <id>', description: 'id to keep, such as pkg-acme-2026' },
  { flags: '--purchased-at <time>', description: 'default now' },
  { flags: '--start-at <time>', description: 'default the purchase' },
  END,
  {
    flags: '--first-use-months <count>',
    description: 'calendar months from its first use, instead of an end',
    parse: parseCount,
  },
  { flags: '--paid <amount>', description: 'what it cost, such as "99.90 CNY"', parse: parsePaid },
  { flags: '--offer <name>', description: 'name of the offer that it was bought as' },
]

const TRAFFIC: readonly VerbPlan[] = [
  {
    usage: 'list',
    summary: 'List prepaid volumes, in the order in which they were bought.',
    example: 'weir package list --account acme --area cn',
    columns: ['id', 'accountId', 'meter', 'areas', 'kinds', 'sizeBytes', 'startAt', 'endAt'],
    options: [
      ACCOUNT,
      { ...METER, description: 'only of this meter' },
      AREA,
      KIND,
      ...PAGE_OPTIONS,
    ],
    run: (client, _args, fields) => runList(client, '/traffic-packages', fields),
  },
  {
    usage: 'show <package>',
    summary: 'Show a package, prepaid or exclusive, by id.',
    example: 'weir package show pkg-4f9k2mq8',
    run: (client, [id = '']) => client.get(pathOf(collectionOf(id), id)),
  },
  {
    usage: 'offers <account>',
    summary: 'List what an account can buy.',
    example: 'weir package offers acme --meter mna',
    columns: ['name', 'sizeBytes', 'areas', 'kinds', 'windows', 'months', 'price', 'currency'],
    options: [METER, ...PAGE_OPTIONS],
    run: (client, [account = ''], fields) =>
      runList(client, '/package-offers', { ...fields, account }),
  },
  {
    usage: 'buy <account>',
    summary: 'Buy a package that is offered, by name or by size; each call buys another one.',
    example: 'weir package buy acme --offer cn-100gib-year',
    options: [
      { flags: '--offer <name>', description: 'name of the offer; this or --size' },
      { flags: '--size <volume>', description: 'the cheapest offer of this size' },
      { ...AREA, description: 'with --size: for this area only' },
      { ...KIND, description: 'with --size: for this kind only' },
      METER,
      RESOURCES,
    ],
    run: (client, [account = ''], fields) =>
      client.send('POST', '/package-orders', { ...fields, account }),
  },
  {
    usage: 'refund <package>',
    summary: 'Give an unused, valid package back for what was paid.',
    example: 'weir package refund pkg-4f9k2mq8',
    run: (client, [id = '']) => client.send('POST', pathOf('traffic-packages', id, 'refund')),
  },
  {
    usage: 'create',
    summary: 'Add a prepaid volume on terms of its own.',
    example: 'weir package create --account acme --area cn --size "10 TB" --paid "900.00 CNY"',
    options: CREATE,
    run: (client, _args, fields) =>
      client.send('POST', '/traffic-packages', withEnd(withAny(fields))),
  },
  {
    usage: 'end <package>',
    summary: 'Change when a prepaid volume ends.',
    example: 'weir package end pkg-4f9k2mq8 --end-at 2027-01-01T00:00:00+08:00',
    options: [{ ...END, required: true }],
    run: (client, [id = ''], fields) =>
      client.send('PATCH', pathOf('traffic-packages', id), withEnd(fields)),
  },
]

const EXCLUSIVE: readonly VerbPlan[] = [
  {
    usage: 'list-exclusive',
    summary: 'List the refilling volumes of elastic IPs.',
    example: 'weir package list-exclusive --account acme',
    columns: ['id', 'accountId', 'resourceId', 'sizeBytes', 'resetPolicy', 'createdAt'],
    options: [
      ACCOUNT,
      { flags: '--resource <id>', description: 'only of this elastic IP' },
      ...PAGE_OPTIONS,
    ],
    run: (client, _args, fields) => runList(client, '/exclusive-packages', fields),
  },
  {
    usage: 'create-exclusive <resource>',
    summary: 'Give an elastic IP, by id or address, its own refilling volume.',
    example: 'weir package create-exclusive 192.0.2.1 --size "100 GB" --reset-policy Month',
    options: [
      SIZE,
      {
        flags: '--reset-policy <policy>',
        description: 'how often it refills',
        choices: ['Day', 'Month', 'Year'],
        required: true,
      },
      { flags: '--created-at <time>', description: 'anchor of all resets; default now' },
      { flags: '--id <id>', description: 'id to keep' },
    ],
    run: (client, [resource = ''], fields) =>
      client.send('POST', '/exclusive-packages', { ...fields, resource }),
  },
  {
    usage: 'delete-exclusive <package>',
    summary: 'Take a refilling volume away.',
    example: 'weir package delete-exclusive utp-4f9k2mq8',
    run: (client, [id = '']) => client.send('DELETE', pathOf('exclusive-packages', id)),
  },
]

function collectionOf(id: string): string {
  return id.startsWith('utp-') ? 'exclusive-packages' : 'traffic-packages'
}

/** `weir package …` */
export function packageCommand(context: CliContext): Command {
  return nounCommand(context, 'package', 'Packages: prepaid and refilling volumes.', [
    ...TRAFFIC,
    ...EXCLUSIVE,
  ])
}

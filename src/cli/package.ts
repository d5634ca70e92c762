import type { Command } from 'commander'
import { type Wire, pathOf } from './admin-client.ts'
import { PAGE_OPTIONS, type VerbPlan, nounCommand, runList } from './admin-command.ts'
import type { CliContext } from './context.ts'

const ACCOUNT = { flags: '--account <account>', description: 'id or name of the account' }
const SIZE = {
  flags: '--size <volume>',
  description: 'such as "10 TB" (10^12) or "10 TiB" (2^40)',
  required: true,
} as const
const AREA = { flags: '--area <area>', description: 'whose clients', choices: ['cn', 'abroad'] }
const KIND = {
  flags: '--kind <kind>',
  description: 'static, or dynamic for whole-site acceleration',
  choices: ['static', 'dynamic'],
}
const END = { flags: '--end-at <time>', description: 'end, exclusive, or "never"' }

function withEnd(fields: Wire): Wire {
  return fields['endAt'] === 'never' ? { ...fields, endAt: null } : fields
}

const TRAFFIC: readonly VerbPlan[] = [
  {
    usage: 'list',
    summary: 'List prepaid CDN volumes, in the order in which they were bought.',
    example: 'weir package list --account acme --area cn',
    columns: ['id', 'accountId', 'area', 'kind', 'sizeBytes', 'startAt', 'endAt'],
    options: [ACCOUNT, AREA, KIND, ...PAGE_OPTIONS],
    run: (client, _args, fields) => runList(client, '/traffic-packages', fields),
  },
  {
    usage: 'show <package>',
    summary: 'Show a package, prepaid or exclusive, by id.',
    example: 'weir package show pkg-4f9k2mq8',
    run: (client, [id = '']) => client.get(pathOf(collectionOf(id), id)),
  },
  {
    usage: 'create',
    summary: 'Add a prepaid CDN volume.',
    example: 'weir package create --account acme --area cn --size "10 TB"',
    options: [
      { ...ACCOUNT, required: true },
      { ...AREA, required: true },
      SIZE,
      KIND,
      { flags: '--id <id>', description: 'id to keep, such as pkg-acme-2026' },
      { flags: '--purchased-at <time>', description: 'default now' },
      { flags: '--start-at <time>', description: 'default the purchase' },
      END,
    ],
    run: (client, _args, fields) => client.send('POST', '/traffic-packages', withEnd(fields)),
  },
  {
    usage: 'end <package>',
    summary: 'Change when a prepaid CDN volume ends.',
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

import type { Command } from 'commander'
import { canonicalAddress, canonicalDomain } from '../catalog/names.ts'
import { AppError } from '../core/errors.ts'
import { METER_NAMES } from '../meters/meter.ts'
import { type AdminClient, pathOf } from './admin-client.ts'
import {
  type OptionPlan,
  PAGE_OPTIONS,
  type VerbPlan,
  nounCommand,
  parseCount,
  runList,
} from './admin-command.ts'
import type { CliContext } from './context.ts'

const PAY_MODES = ['Traffic', 'Bandwidth', 'ShareBandwidth', 'PostAccurateBandwidth']
const METER = { flags: '--meter <meter>', description: 'what is measured', choices: METER_NAMES }
const ACCOUNT = { flags: '--account <account>', description: 'id or name of the account' }
const FROM = {
  flags: '--from-at <time>',
  description: 'from when on, such as 2026-01-31T00:00:00+08:00; default now',
}

/** Takes an id, or the name of one living resource. */
async function resourceId(client: AdminClient, ref: string): Promise<string> {
  if (/^(ucdn|eip|mna|domain)-[\w-]+$/.test(ref)) return ref
  const name = canonicalAddress(ref) ?? canonicalDomain(ref) ?? ref
  const spellings = [...new Set([name, ref])]
  const found = await Promise.all(
    spellings.map((each) => client.all('/resources', { name: each, living: true })),
  )
  const ids = found.flat().map((entry) => String(entry['id']))
  const [id] = ids
  if (id !== undefined && ids.length === 1) return id
  throw id === undefined
    ? new AppError('not_found', `resource "${ref}" does not exist.`)
    : new AppError('conflict', `"${ref}" names several resources; say which: ${ids.join(' ')}.`)
}

const CREATE: readonly OptionPlan[] = [
  { ...METER, required: true },
  { ...ACCOUNT, required: true },
  { flags: '--project <project>', description: 'id or name; the default project when absent' },
  { flags: '--id <id>', description: 'id to keep from a vendor' },
  { flags: '--region <region>', description: 'region code, such as cn-bj2' },
  { flags: '--zone <zone>', description: 'zone code; the first of the region when absent' },
  {
    flags: '--kind <kind>',
    description: 'cdn: which packages its traffic draws on',
    choices: ['static', 'dynamic'],
  },
  {
    flags: '--gateway-type <type>',
    description: 'mna: 0 public cloud gateway, 1 private',
    parse: parseCount,
  },
  { flags: '--pay-mode <mode>', description: 'eip: how it is paid for', choices: PAY_MODES },
  {
    flags: '--created-at <time>',
    description: 'usage before it is not accepted; default now',
  },
]

const VERBS: readonly VerbPlan[] = [
  {
    usage: 'list',
    summary: 'List resources.',
    example: 'weir resource list --account acme --meter cdn --living true',
    columns: ['id', 'meter', 'name', 'accountId', 'projectId', 'region', 'payMode', 'deletedAt'],
    options: [
      ACCOUNT,
      { flags: '--project <project>', description: 'only of this project' },
      METER,
      { flags: '--name <name>', description: 'only this name' },
      { flags: '--region <region>', description: 'only of this region' },
      { flags: '--living <true|false>', description: 'true: without deleted ones' },
      ...PAGE_OPTIONS,
    ],
    run: (client, _args, fields) => runList(client, '/resources', fields),
  },
  {
    usage: 'show <resource>',
    summary: 'Show a resource and to whom it belonged over time, by id or name.',
    example: 'weir resource show www.acme.example',
    run: async (client, [ref = '']) => {
      const id = await resourceId(client, ref)
      const entry = await client.get(pathOf('resources', id))
      const { items } = await client.get(pathOf('resources', id, 'versions'))
      return { ...entry, versions: items }
    },
  },
  {
    usage: 'create <name>',
    summary: 'Register a domain, an elastic IP or a gateway device.',
    example: 'weir resource create www.acme.example --meter cdn --account acme',
    options: CREATE,
    run: (client, [name = ''], fields) => client.send('POST', '/resources', { ...fields, name }),
  },
  {
    usage: 'move <resource>',
    summary: 'Hand a resource to another project; past usage stays with the old one.',
    example: 'weir resource move www.acme.example --project video',
    options: [
      { flags: '--project <project>', description: 'id or name of the project', required: true },
      { flags: '--account <account>', description: 'only to hand it to another account' },
      FROM,
    ],
    run: async (client, [ref = ''], fields) =>
      client.send('POST', pathOf('resources', await resourceId(client, ref), 'move'), fields),
  },
  {
    usage: 'pay-mode <resource> <mode>',
    summary: 'Change how an elastic IP is paid for; days before keep the old mode.',
    example: 'weir resource pay-mode 192.0.2.1 Bandwidth --from-at 2026-02-01T00:00:00+08:00',
    options: [FROM],
    run: async (client, [ref = '', payMode = ''], fields) => {
      const path = pathOf('resources', await resourceId(client, ref), 'pay-mode')
      return client.send('POST', path, { ...fields, payMode })
    },
  },
  {
    usage: 'delete <resource>',
    summary: 'End the life of a resource; its past usage stays.',
    example: 'weir resource delete www.acme.example',
    options: [{ flags: '--at-time <time>', description: 'end of its life; default this minute' }],
    run: async (client, [ref = ''], { atTime }) => {
      const query = typeof atTime === 'string' ? `?atTime=${encodeURIComponent(atTime)}` : ''
      const path = pathOf('resources', await resourceId(client, ref))
      return client.send('DELETE', `${path}${query}`)
    },
  },
]

/** `weir resource …` */
export function resourceCommand(context: CliContext): Command {
  return nounCommand(context, 'resource', 'Resources: what is measured.', VERBS)
}

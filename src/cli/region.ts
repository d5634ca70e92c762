import type { Command } from 'commander'
import { PAGE_OPTIONS, type VerbPlan, nounCommand, parseCount, runList } from './admin-command.ts'
import type { CliContext } from './context.ts'

const VERBS: readonly VerbPlan[] = [
  {
    usage: 'list',
    summary: 'List regions and their zones.',
    example: 'weir region list',
    columns: ['region', 'regionId', 'name', 'isDefault', 'zones'],
    options: [{ flags: '--region <code>', description: 'only this region' }, ...PAGE_OPTIONS],
    run: (client, _args, fields) => runList(client, '/regions', fields),
  },
  {
    usage: 'add <code>',
    summary: 'Add a region with its zones.',
    example: 'weir region add cn-zj --name Zhejiang --zones cn-zj-01',
    options: [
      { flags: '--name <name>', description: 'what people call it', required: true },
      { flags: '--zones <zones...>', description: 'codes of its zones', required: true },
      {
        flags: '--region-id <number>',
        description: 'number in answers; the next free one when absent',
        parse: parseCount,
      },
      { flags: '--default', description: 'the one that clients take when they name none' },
    ],
    run: (client, [region = ''], { default: isDefault, ...fields }) =>
      client.send('POST', '/regions', { ...fields, region, isDefault: isDefault === true }),
  },
]

/** `weir region …` */
export function regionCommand(context: CliContext): Command {
  return nounCommand(context, 'region', 'Regions and zones.', VERBS)
}

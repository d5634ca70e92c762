import type { Command } from 'commander'
import { AppError } from '../core/errors.ts'
import { type AdminClient, type Wire, pathOf } from './admin-client.ts'
import { PAGE_OPTIONS, type VerbPlan, nounCommand, runList } from './admin-command.ts'
import type { CliContext } from './context.ts'

const COLUMNS = ['id', 'accountId', 'name', 'isDefault', 'createdAt']
const ACCOUNT = { flags: '--account <account>', description: 'id or name of the account' }

/** Takes `org-…` or `<account>/<name>`, which people remember. */
async function projectId(client: AdminClient, ref: string): Promise<string> {
  const slash = ref.lastIndexOf('/')
  if (slash < 0) return ref
  const account = ref.slice(0, slash)
  const name = ref.slice(slash + 1)
  const { items } = await client.list('/projects', { account, name })
  const [project] = items
  if (project !== undefined) return String(project['id'])
  throw new AppError('not_found', `account "${account}" has no project "${name}".`)
}

async function update(client: AdminClient, ref: string, fields: Wire): Promise<Wire> {
  const { default: isDefault, ...rest } = fields
  const id = await projectId(client, ref)
  const body = isDefault === true ? { ...rest, isDefault } : rest
  return client.send('PATCH', pathOf('projects', id), body)
}

const VERBS: readonly VerbPlan[] = [
  {
    usage: 'list',
    summary: 'List projects.',
    example: 'weir project list --account acme',
    columns: COLUMNS,
    options: [ACCOUNT, { flags: '--name <name>', description: 'only this name' }, ...PAGE_OPTIONS],
    run: (client, _args, fields) => runList(client, '/projects', fields),
  },
  {
    usage: 'show <project>',
    summary: 'Show a project, by id or as <account>/<name>.',
    example: 'weir project show acme/video',
    run: async (client, [ref = '']) => client.get(pathOf('projects', await projectId(client, ref))),
  },
  {
    usage: 'create <name>',
    summary: 'Add a project to an account.',
    example: 'weir project create video --account acme',
    options: [{ ...ACCOUNT, required: true }],
    run: (client, [name = ''], fields) => client.send('POST', '/projects', { ...fields, name }),
  },
  {
    usage: 'update <project>',
    summary: 'Rename a project, or make it the default one of its account.',
    example: 'weir project update acme/video --default',
    options: [
      { flags: '--name <name>', description: 'new name' },
      { flags: '--default', description: 'calls that name no project use it' },
    ],
    run: (client, [ref = ''], fields) => update(client, ref, fields),
  },
]

/** `weir project …` */
export function projectCommand(context: CliContext): Command {
  return nounCommand(
    context,
    'project',
    'Projects: what an account divides its resources into.',
    VERBS,
  )
}

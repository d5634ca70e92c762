import { Command, InvalidArgumentError, Option } from 'commander'
import {
  type AdminClient,
  type Query,
  type Wire,
  type WirePage,
  createAdminClient,
} from './admin-client.ts'
import type { CliContext } from './context.ts'
import { renderEntries, renderEntry } from './entry-table.ts'
import { addAddressOptions, addressOf } from './server-address.ts'

/** One option of a verb; its name in camel case is the field it fills. */
export interface OptionPlan {
  readonly flags: string
  readonly description: string
  readonly required?: true
  readonly choices?: readonly string[]
  /** `before`: what the same option gave before it; undefined the first time. */
  readonly parse?: (text: string, before: unknown) => unknown
}

/** One verb of a noun, e.g. `move` of `weir resource`. */
export interface VerbPlan {
  /** Name and arguments as commander reads them, e.g. `move <resource>`. */
  readonly usage: string
  readonly summary: string
  /** A whole command line that works. */
  readonly example: string
  readonly options?: readonly OptionPlan[]
  /** Columns of the table that a list is shown as. */
  readonly columns?: readonly string[]
  run(client: AdminClient, args: readonly string[], fields: Wire): Promise<Wire | WirePage>
}

const COMMON = new Set(['url', 'token', 'config', 'data', 'json'])

/** Makes a noun such as `weir account` out of its verbs. */
export function nounCommand(
  context: CliContext,
  name: string,
  summary: string,
  verbs: readonly VerbPlan[],
): Command {
  const command = new Command(name).description(summary)
  for (const verb of verbs) command.addCommand(verbCommand(context, verb))
  return command
}

function verbCommand(context: CliContext, plan: VerbPlan): Command {
  const [name = '', ...args] = plan.usage.split(' ')
  const command = new Command(name).description(plan.summary)
  for (const arg of args) command.argument(arg)
  for (const option of plan.options ?? []) command.addOption(toOption(option))
  addAdminOptions(command).addHelpText('after', `\nExample:\n  $ ${plan.example}`)
  return command.action(async () => {
    const options: Wire = command.opts()
    const fields = Object.fromEntries(Object.entries(options).filter(([key]) => !COMMON.has(key)))
    const client = connectAdmin(context, options)
    const answer = await plan.run(client, command.args, fields)
    context.write(renderAnswer(context, plan, answer, options['json'] === true))
  })
}

function toOption(plan: OptionPlan): Option {
  const option = new Option(plan.flags, plan.description)
  if (plan.choices !== undefined) option.choices(plan.choices)
  if (plan.parse !== undefined) option.argParser(plan.parse)
  return option.makeOptionMandatory(plan.required === true)
}

/** Adds what every command that speaks to the admin API takes. */
export function addAdminOptions(command: Command): Command {
  return addAddressOptions(command).option(
    '--json',
    'print JSON (default when the output is no terminal)',
  )
}

/** Connects to the server that a command's options, the environment or the configuration name. */
export function connectAdmin(context: CliContext, options: Wire): AdminClient {
  const { url, token } = addressOf(context, options)
  return createAdminClient(url, token)
}

function renderAnswer(
  context: CliContext,
  plan: VerbPlan,
  answer: Wire | WirePage,
  json: boolean,
): string {
  if (json || !context.isTerminal) return `${JSON.stringify(answer, null, 2)}\n`
  const { items, nextCursor } = answer as Partial<WirePage>
  if (items === undefined) return `${renderEntry(answer as Wire)}${onceOnly(answer as Wire)}`
  const more =
    typeof nextCursor === 'string'
      ? `More with --cursor ${nextCursor}, everything with --all.\n`
      : ''
  return renderEntries(items, plan.columns ?? ['id', 'name']) + more
}

function onceOnly(answer: Wire): string {
  const name = ['secret', 'token'].find((each) => each in answer)
  return name === undefined ? '' : `Keep the ${name}: it is not shown again.\n`
}

/** Options of every list. */
export const PAGE_OPTIONS: readonly OptionPlan[] = [
  { flags: '--limit <count>', description: 'entries per page, at most 1000', parse: parseCount },
  { flags: '--cursor <cursor>', description: 'continue after this page' },
  { flags: '--all', description: 'every page' },
]

/** Runs a list with its filters and page options. */
export async function runList(client: AdminClient, path: string, fields: Wire): Promise<WirePage> {
  const { all, ...query } = fields as Query
  if (all !== true) return client.list(path, query)
  const { limit: _, cursor: __, ...filters } = query
  return { items: await client.all(path, filters), nextCursor: null }
}

/** Reads a whole number of an option. */
export function parseCount(text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new InvalidArgumentError('Write a whole number.')
  return Number(text)
}

/** Reads yes or no of an option. */
export function parseYesNo(text: string): boolean {
  if (text !== 'yes' && text !== 'no') throw new InvalidArgumentError('Write yes or no.')
  return text === 'yes'
}

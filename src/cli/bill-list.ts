import { Command, Option } from 'commander'
import { PAGE_OPTIONS, parseCount } from './admin-command.ts'
import { formatTotals, type WireMoney } from './bill-text.ts'
import type { CliContext } from './context.ts'
import { renderEntries } from './entry-table.ts'
import { addAddressOptions, addressOf, type AddressOptions, request } from './server-address.ts'

interface ListOptions extends AddressOptions {
  readonly account?: string
  readonly meter?: string
  readonly month?: string
  readonly limit?: number
  readonly cursor?: string
  readonly all?: true
  readonly json?: true
}

interface WireSummary {
  readonly id: string
  readonly account: string
  readonly meter: string
  readonly month: string
  readonly totals: readonly WireMoney[]
  readonly lines: number
  readonly closedAt: string
}

interface WireList {
  readonly items: readonly WireSummary[]
  readonly nextCursor: string | null
}

/** `weir bill list` */
export function billListCommand(context: CliContext): Command {
  const command = addAddressOptions(
    new Command('list')
      .description('List bills, the newest month first.')
      .option('--account <account>', 'only of this account: its id, name or number')
      .addOption(new Option('--meter <meter>', 'only of this meter').choices(['cdn', 'eip', 'mna']))
      .option('--month <month>', 'only of this month, such as 2026-10'),
  )
  for (const { flags, description } of PAGE_OPTIONS) {
    if (flags.startsWith('--limit')) command.option(flags, description, parseCount)
    else command.option(flags, description)
  }
  return command
    .option('--json', 'print JSON (default when the output is no terminal)')
    .addHelpText('after', '\nExample:\n  $ weir bill list --month 2026-10')
    .action(async (options: ListOptions) => {
      const list = await readList(context, options)
      context.write(
        options.json === true || !context.isTerminal
          ? `${JSON.stringify(list, null, 2)}\n`
          : renderList(list),
      )
    })
}

async function readList(context: CliContext, options: ListOptions): Promise<WireList> {
  const items: WireSummary[] = []
  let cursor = options.cursor ?? null
  do {
    const query = new URLSearchParams()
    const { account, meter, month, limit } = options
    for (const [name, value] of Object.entries({ account, meter, month, limit, cursor })) {
      if (value !== undefined && value !== null) query.set(name, String(value))
    }
    const path = `/v1/bills?${query.toString()}`
    const page = JSON.parse(await request(addressOf(context, options), 'GET', path)) as WireList
    items.push(...page.items)
    cursor = page.nextCursor
  } while (options.all === true && cursor !== null)
  return { items, nextCursor: cursor }
}

function renderList({ items, nextCursor }: WireList): string {
  const entries = items.map(({ id, account, meter, month, lines, totals, closedAt }) => ({
    id,
    account,
    meter,
    month,
    lines,
    total: formatTotals(totals),
    closed: closedAt,
  }))
  const columns = ['id', 'account', 'meter', 'month', 'lines', 'total', 'closed']
  const more =
    nextCursor === null ? '' : `More with --cursor ${nextCursor}, everything with --all.\n`
  return renderEntries(entries, columns) + more
}

import { Command } from 'commander'
import type { RuleFile } from '../config/rule-files.ts'
import { formatLocal } from '../core/period-text.ts'
import { parseRulePack } from '../rating/rule-pack.ts'
import type { CliContext } from './context.ts'
import { renderEntries } from './entry-table.ts'
import { collectGroup, type Groups } from './group-option.ts'
import { readKnownPack } from './known-pack.ts'
import { humanBytes, humanRate } from './query-table.ts'
import { addAddressOptions, addressOf, request, type AddressOptions } from './server-address.ts'

interface TryOptions extends AddressOptions {
  readonly account: string
  readonly period: string
  readonly group?: Groups
  readonly json?: true
}

interface TriedLine {
  readonly rule: string
  readonly type: 'traffic' | 'bandwidth'
  readonly member: string
  readonly start: string
  readonly end: string
  readonly amount: string
  readonly tier?: number
  readonly rawBytes?: number
  readonly billedBytes?: number
  readonly price?: string
  readonly bps?: number
  readonly billedBps?: number
  readonly slots?: number
  readonly dropped?: number
  readonly samples?: readonly { readonly time: string; readonly bps: number }[]
}

interface Tried {
  readonly pack: { readonly name: string; readonly version: string; readonly hash: string }
  readonly zone: string
  readonly currency: string
  readonly lines: readonly TriedLine[]
  readonly total: string
}

const HELP = `
Prices what was measured, without packages, and changes nothing. Days and months
are those of the account's zone; a period that is not over is priced as far as it went.

Examples:
  $ weir rules try ucloud-cdn --account acc-example --period 2026-11
  $ weir rules try ./my-95.yaml --account acc-example --period 2026-10 --json
  $ weir rules try ./lines.yaml --account acc-example --period 2026-11-20 \\
      --group line-1=eip-1,eip-2`

/** `weir rules try`: asks a running server what usage would cost by a rule pack. */
export function rulesTryCommand(context: CliContext): Command {
  return addAddressOptions(
    new Command('try')
      .description('Price measured usage by a rule pack, without touching the books.')
      .argument('<pack>', 'name of a pack, or a file (with a / or a dot)')
      .requiredOption('--account <account>', 'whose usage is priced: id, name or number')
      .requiredOption('--period <period>', 'a month (2026-11) or a day (2026-11-20)')
      .option(
        '--group <name=resources>',
        'resources billed as one, by id or name; may be repeated',
        collectGroup,
      )
      .option('--json', 'print JSON (default when the output is no terminal)'),
  )
    .addHelpText('after', HELP)
    .action(async (name: string, options: TryOptions) => {
      const file = await readKnownPack(context, options, name)
      // A mistake in the pack needs no server to be found.
      parseRulePack(file.text, file.file)
      const { group, ...asked } = options
      const answer = await askTry(
        context,
        { ...asked, ...(group !== undefined && { groups: group }) },
        file,
      )
      const json = options.json === true || !context.isTerminal
      context.write(json ? `${answer}\n` : renderTried(JSON.parse(answer) as Tried))
    })
}

/** Asks the server what an account's usage of a period costs by a pack; the answer's text. */
export async function askTry(
  context: CliContext,
  asked: AddressOptions & {
    readonly account: string
    /** Of the account's zone, which the server knows. */
    readonly period: string
    readonly groups?: Groups
  },
  { file, text }: RuleFile,
): Promise<string> {
  const { account, period, groups = {} } = asked
  const body = { account, pack: text, file, period, groups }
  return await request(addressOf(context, asked), 'POST', '/v1/rules/try', body)
}

function renderTried({ pack, zone, currency, lines, total }: Tried): string {
  const head = `${pack.name} ${pack.version} (sha256 ${pack.hash.slice(0, 12)}…), days of ${zone}\n`
  if (lines.length === 0) return `${head}No usage that a rule prices.\n`
  const entries = lines.map((line) => ({
    rule: line.rule,
    member: line.member,
    from: formatLocal(Date.parse(line.start), zone),
    to: formatLocal(Date.parse(line.end), zone),
    quantity: quantityOf(line),
    how: explain(line, zone),
    amount: line.amount,
  }))
  const table = renderEntries(entries, [
    'rule',
    'member',
    'from',
    'to',
    'quantity',
    'how',
    'amount',
  ])
  return `${head}${table}Total ${total} ${currency}\n`
}

function quantityOf(line: TriedLine): string {
  return line.type === 'traffic'
    ? humanBytes(line.billedBytes ?? 0)
    : humanRate(line.billedBps ?? 0)
}

function explain(line: TriedLine, zone: string): string {
  if (line.type === 'traffic') {
    const measured =
      line.rawBytes === line.billedBytes ? '' : `, ${humanBytes(line.rawBytes ?? 0)} measured`
    return `tier ${line.tier} at ${line.price}${measured}`
  }
  const [first, ...rest] = line.samples ?? []
  const when = first === undefined ? 'no moment' : formatLocal(Date.parse(first.time), zone)
  const dropped = line.dropped === 0 ? '' : `, ${line.dropped} of ${line.slots} slots dropped`
  const found = rest.length === 0 ? `at ${when}` : `of ${rest.length + 1} samples`
  return `${humanRate(line.bps ?? 0)} ${found}${dropped}`
}

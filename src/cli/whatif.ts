import { Command, Option } from 'commander'
import { readRuleFile } from '../config/rule-files.ts'
import { parseRulePack } from '../rating/rule-pack.ts'
import { localText } from './book-table.ts'
import type { CliContext } from './context.ts'
import { renderEntries } from './entry-table.ts'
import { collectGroup, type Groups } from './group-option.ts'
import { isPackFile } from './known-pack.ts'
import { addAddressOptions, addressOf, request, type AddressOptions } from './server-address.ts'

interface WhatIfOptions extends AddressOptions {
  readonly meter: string
  readonly month?: string
  readonly packs?: string
  readonly packages?: true
  readonly group?: Groups
  readonly json?: true
}

interface ShownAlternative {
  readonly pack: string
  readonly version: string
  readonly isCurrent: boolean
  readonly currency: string
  readonly total: string
  readonly totalProRata: string
  readonly usage: string
  readonly packages: readonly { readonly offer: string; readonly count: number }[]
}

interface ShownWhatIf {
  readonly account: string
  readonly meter: string
  readonly zone: string
  readonly month: string
  readonly foretoldFrom: string | null
  readonly measuredUntil: string
  readonly isCut: boolean
  readonly alternatives: readonly ShownAlternative[]
  readonly leftOut: readonly {
    readonly pack: string
    readonly version: string
    readonly reason: string
  }[]
}

const HELP = `
Prices one month of usage by each pack as if it had been in force all month, and puts
the cheapest first within each currency. A month that is not over is completed by what
is expected of its rest. Packages that the account has bought already are left out of
all alternatives. With --packages the packages that a pack offers are bought at the
start of the month and counted in full; PRO RATA counts the part of their price that
falls into the month.

Examples:
  $ weir whatif acc-example
  $ weir whatif acc-example --month 2026-10 --packs ucloud-cdn,./my-cdn.yaml
  $ weir whatif acc-example --packages --json`

/** `weir whatif`: compares what a month costs by other rule packs and with packages. */
export function whatIfCommand(context: CliContext): Command {
  return addAddressOptions(
    new Command('whatif')
      .description('Compare what a month costs by other rule packs and packages, cheapest first.')
      .argument('<account>', 'id, name or number')
      .addOption(
        new Option('--meter <meter>', 'whose book').choices(['cdn', 'eip', 'mna']).default('cdn'),
      )
      .option('--month <month>', 'local month such as 2026-10 (default: the current one)')
      .option(
        '--packs <names>',
        'packs to compare, with commas: names, or files (with a / or a dot)',
      )
      .option('--packages', 'try the packages that the packs offer, too')
      .option(
        '--group <name=resources>',
        'resources billed as one, by id or name; may be repeated',
        collectGroup,
      )
      .option('--json', 'print JSON (default when the output is no terminal)'),
  )
    .addHelpText('after', HELP)
    .action(async (account: string, options: WhatIfOptions) => {
      const { meter, month, packs, group } = options
      const body = {
        account,
        meter,
        ...(month !== undefined && { month }),
        ...(packs !== undefined && { packs: packs.split(',').map(readPack) }),
        packages: options.packages === true,
        ...(group !== undefined && { groups: group }),
      }
      const answer = await request(addressOf(context, options), 'POST', '/v1/whatif', body)
      const json = options.json === true || !context.isTerminal
      context.write(json ? `${answer}\n` : renderWhatIf(JSON.parse(answer) as ShownWhatIf))
    })
}

/** A file is read here; a name is the server's, which knows packs that were added to it. */
function readPack(name: string): string | { readonly file: string; readonly text: string } {
  if (!isPackFile(name)) return name
  const written = readRuleFile(name)
  // A mistake in the pack needs no server to be found.
  parseRulePack(written.text, written.file)
  return written
}

function renderWhatIf(shown: ShownWhatIf): string {
  const { account, meter, month, zone, alternatives, leftOut } = shown
  const head = `${account} ${meter}, ${month} (${zone})${sayHow(shown)}\n`
  const hasPackages = alternatives.some(({ packages }) => packages.length > 0)
  const rows = alternatives.map((entry, index) => ({
    ...entry,
    packages: entry.packages.map(({ offer, count }) => `${count}×${offer}`).join(' + '),
    'pro rata': entry.totalProRata,
    cheapest: alternatives.findIndex(({ currency }) => currency === entry.currency) === index,
    'in force': entry.isCurrent,
  }))
  const columns = hasPackages
    ? ['pack', 'version', 'packages', 'total', 'pro rata', 'currency', 'cheapest', 'in force']
    : ['pack', 'version', 'total', 'currency', 'cheapest', 'in force']
  const left = leftOut.map(
    ({ pack, version, reason }) => `Left out: ${pack} ${version}. ${reason}\n`,
  )
  return `${head}${renderEntries(rows, columns)}${left.join('')}`
}

function sayHow({ foretoldFrom, measuredUntil, isCut, zone }: ShownWhatIf): string {
  if (isCut) {
    const until = localText(measuredUntil, zone)
    return `, measured until ${until}: too little is known to foretell the rest`
  }
  return foretoldFrom === null ? ', measured' : `, foretold from ${localText(foretoldFrom, zone)}`
}

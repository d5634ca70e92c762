import { Command } from 'commander'
import { readRulePack } from '../config/rule-files.ts'
import { parseMoney } from '../core/money.ts'
import { parseRulePack, type RulePack } from '../rating/rule-pack.ts'
import type { CliContext } from './context.ts'
import { renderEntries } from './entry-table.ts'
import { askTry } from './rules-try.ts'
import { addAddressOptions, type AddressOptions } from './server-address.ts'

interface WhatIfOptions extends AddressOptions {
  readonly account: string
  readonly period: string
  readonly json?: true
}

/** What one pack would have cost. */
interface Alternative {
  readonly pack: string
  readonly version: string
  readonly total: string
  readonly currency: string
  /** What it prices. */
  readonly meters: readonly string[]
  readonly lines: number
}

const HELP = `
Prices the same usage by each pack, without packages, and puts the cheapest first.
Packs that price other meters or in another currency are no alternatives of each
other: they stand apart. Days and months are those of each pack's zone.

Examples:
  $ weir whatif ./traffic.yaml ./daily-peak.yaml ./monthly-95.yaml \\
      --account acc-example --period 2026-10
  $ weir whatif generic-95 generic-traffic --account acc-example --period 2026-11 --json`

/** `weir whatif`: compares what a month would have cost under several rule packs. */
export function whatIfCommand(context: CliContext): Command {
  return addAddressOptions(
    new Command('whatif')
      .description('Compare what usage would cost under several rule packs, cheapest first.')
      .argument('<pack...>', 'names of shipped packs, or files (with a / or a dot)')
      .requiredOption('--account <id>', 'account whose usage is priced')
      .requiredOption('--period <period>', 'a month (2026-11) or a day (2026-11-20)')
      .option('--json', 'print JSON (default when the output is no terminal)'),
  )
    .addHelpText('after', HELP)
    .action(async (names: readonly string[], options: WhatIfOptions) => {
      // Every pack is read before the first is priced: a mistake in the last costs no waiting.
      const files = names.map(readRulePack).map((file) => ({
        file,
        pack: parseRulePack(file.text, file.file),
      }))
      const found: Alternative[] = []
      for (const { file, pack } of files) {
        const answer = await askTry(context, { ...options, zone: pack.zone }, file)
        found.push(toAlternative(pack, answer))
      }
      const sorted = found.sort(compare)
      const json = options.json === true || !context.isTerminal
      context.write(json ? `${JSON.stringify(sorted, null, 2)}\n` : renderAlternatives(sorted))
    })
}

function toAlternative(pack: RulePack, answer: string): Alternative {
  const { total, lines } = JSON.parse(answer) as Pick<Alternative, 'total'> & { lines: unknown[] }
  const { name, version, currency, meters } = pack
  return { pack: name, version, total, currency, meters, lines: lines.length }
}

/** What only alternatives of each other have in common. */
function groupOf({ currency, meters }: Alternative): string {
  return `${currency} ${meters.join(' ')}`
}

/** By what they can be compared with, then by amount; equal ones keep the order asked for. */
function compare(a: Alternative, b: Alternative): number {
  const [groupA, groupB] = [groupOf(a), groupOf(b)]
  if (groupA !== groupB) return groupA < groupB ? -1 : 1
  const difference = parseMoney(a.total, 'total') - parseMoney(b.total, 'total')
  return difference === 0n ? 0 : difference < 0n ? -1 : 1
}

function renderAlternatives(found: readonly Alternative[]): string {
  const entries = found.map((entry, index) => ({
    ...entry,
    cheapest: found.findIndex((other) => groupOf(other) === groupOf(entry)) === index,
  }))
  return renderEntries(entries, [
    'pack',
    'version',
    'meters',
    'total',
    'currency',
    'cheapest',
    'lines',
  ])
}

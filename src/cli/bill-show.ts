import { Command } from 'commander'
import { groupThousands } from '../core/decimal.ts'
import { billPath, formatIn, formatPeriod, formatTotals } from './bill-text.ts'
import type { WireAdjustment, WireBill, WireCharge, WireLine } from './bill-wire.ts'
import type { CliContext } from './context.ts'
import { renderEntries, renderEntry } from './entry-table.ts'
import { addAddressOptions, addressOf, type AddressOptions, request } from './server-address.ts'

interface ShowOptions extends AddressOptions {
  readonly json?: true
}

/** `weir bill show` */
export function billShowCommand(context: CliContext): Command {
  return addAddressOptions(
    new Command('show').description('Show a bill with its lines.').argument('<bill>', 'its id'),
  )
    .option('--json', 'print JSON (default when the output is no terminal)')
    .addHelpText(
      'after',
      '\nLines are numbered from 1, as `weir bill explain` names them.\n\n' +
        'Example:\n  $ weir bill show acc-example.cdn.2026-10',
    )
    .action(async (id: string, options: ShowOptions) => {
      const text = await request(addressOf(context, options), 'GET', billPath(id))
      context.write(
        options.json === true || !context.isTerminal
          ? `${JSON.stringify(JSON.parse(text), null, 2)}\n`
          : renderBill(JSON.parse(text) as WireBill),
      )
    })
}

/** Lays a bill out for a terminal: header, lines, packages of both kinds, totals, coverage. */
export function renderBill(stored: WireBill): string {
  const { bill } = stored
  const lines = bill.lines.map((line, index) => ({ line: index + 1, ...cellsOf(line, bill.zone) }))
  const drawn = bill.draws.map(({ packageId, bytes }) => ({
    package: packageId ?? 'none, priced or carried',
    bytes: groupThousands(bytes),
  }))
  return [
    renderHeader(stored),
    renderEntries(lines, [
      'line',
      'type',
      'rule',
      'member',
      'period',
      'measured',
      'billed',
      'price',
      'amount',
    ]),
    ...(drawn.length === 0 ? [] : [`Packages\n${renderEntries(drawn, ['package', 'bytes'])}`]),
    ...renderVolumes(bill),
    renderFooter(stored),
  ].join('\n')
}

/** In bytes; covered and excess are of this bill, used is of the period on all bills so far. */
function renderVolumes({ exclusive = [], zone }: WireBill['bill']): string[] {
  const rows = exclusive.flatMap(({ packageId, resourceId, sizeBytes, resetPolicy, periods }) => {
    const volume = { package: packageId, of: resourceId, resets: resetPolicy }
    const own = { ...volume, size: groupThousands(sizeBytes) }
    if (periods.length === 0) return [{ ...own, period: 'not used' }]
    return periods.map(({ start, end, usedBytes, coveredBytes, excessBytes }) => ({
      ...own,
      period: formatPeriod(zone, { start, end }),
      covered: groupThousands(coveredBytes),
      used: groupThousands(usedBytes),
      excess: groupThousands(excessBytes),
    }))
  })
  const columns = ['package', 'of', 'resets', 'size', 'period', 'covered', 'used', 'excess']
  return rows.length === 0 ? [] : [`Refilling packages\n${renderEntries(rows, columns)}`]
}

function renderHeader({ bill, hash, closedAt }: WireBill): string {
  const { account, zone, manifest } = bill
  return renderEntry({
    bill: bill.id,
    account: `${account.name} (${account.id}, number ${account.number})`,
    meter: bill.meter,
    period: `${formatIn(zone, bill.start)} to ${formatIn(zone, bill.end)} ${zone}`,
    closed: formatIn(zone, closedAt),
    rules: manifest.packs.map(({ name, version }) => `${name} ${version}`).join(', '),
    sha256: hash,
  })
}

function renderFooter({ bill }: WireBill): string {
  const { coverage, packs } = bill.manifest
  const policies = packs.flatMap(({ gapPolicy }) =>
    Object.entries(gapPolicy).map(([rule, policy]) => `${rule}: ${policy}`),
  )
  const gaps = (coverage?.gaps ?? []).map(
    ({ source, start, end }) =>
      `  ${source}  ${formatIn(bill.zone, start)} to ${formatIn(bill.zone, end)}\n`,
  )
  const entry = renderEntry({
    total: formatTotals(bill.totals),
    coverage:
      coverage === null
        ? 'no source was expected to report'
        : `${coverage.receivedSlots} of ${coverage.expectedSlots} expected slots received`,
    'a gap counts as': policies.join(', '),
  })
  return `${entry}${gaps.length === 0 ? '' : `Gaps\n${gaps.join('')}`}`
}

function cellsOf(line: WireLine, zone: string) {
  const amount = `${groupThousands(line.amount)} ${line.currency}`
  if (line.type === 'package') {
    const billed = `${groupThousands(line.sizeBytes)} bytes`
    const period = formatIn(zone, line.time)
    return { type: line.event, rule: 'package', member: line.packageId, period, billed, amount }
  }
  const { rule, member } = line
  const common = { rule, member, period: formatPeriod(zone, line), amount }
  if (line.type === 'adjustment') {
    return { type: `late (${line.of})`, ...common, billed: changeOf(line) }
  }
  const price = `${line.price} per ${line.unit}`
  return { type: line.type, ...common, ...quantitiesOf(line), price }
}

function changeOf({ before, after }: WireAdjustment): string {
  return `${before?.amount ?? '0'} → ${after?.amount ?? '0'}`
}

/** Exact, so that the amount can be computed again from what is shown. */
function quantitiesOf(line: WireCharge): { readonly measured: string; readonly billed: string } {
  if (line.type === 'traffic') {
    const bytes = (text = '0'): string => `${groupThousands(text)} bytes`
    return { measured: bytes(line.rawBytes), billed: bytes(line.billedBytes) }
  }
  const rate = (text = '0'): string => `${groupThousands(text)} bit/s`
  const hasSamples = (line.samples ?? []).length > 0 && line.dropped !== 0
  const dropped = hasSamples ? `, ${line.dropped} of ${line.slots} dropped` : ''
  return { measured: `${rate(line.bps)}${dropped}`, billed: rate(line.billedBps) }
}

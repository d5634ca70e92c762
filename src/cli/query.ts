import { Command, InvalidArgumentError, Option } from 'commander'
import type { CliContext } from './context.ts'
import { renderQueryTable, type QueryRow } from './query-table.ts'
import { addAddressOptions, addressOf, request, type AddressOptions } from './server-address.ts'

interface QueryOptions extends AddressOptions {
  readonly account: string
  readonly project?: string[]
  readonly start: string
  readonly end: string
  readonly granularity: string
  readonly zone: string
  readonly filter?: Record<string, string[]>
  readonly groupBy?: string
  readonly measures: string
  readonly sparse?: true
  readonly output?: 'table' | 'json' | 'csv'
}

const HELP = `
The same question that the vendor calls ask, without their limits.

Measures: bytes, requests, avg_bps, peak_bps (highest 5 minutes), p95_bps (95th
percentile of the 5-minute values, with its moment). Dimensions of cdn: resource,
project, kind, area, billing_region, province, isp, protocol, ip_version, status,
cache; of eip: resource, project, region, direction; of mna: resource, project,
gateway_type, access_region, direction, link.

Examples:
  $ weir query cdn --account acc-example --start 2d --granularity hour
  $ weir query cdn --account acc-example --start 1d --group-by province --granularity total \\
      --measures bytes,peak_bps,p95_bps --filter isp=dianxin
  $ weir query eip --account acc-example --start 2026-11-01T00:00:00+08:00 \\
      --end 2026-12-01T00:00:00+08:00 --granularity day --output csv`

/** `weir query`: asks a running server about usage. */
export function queryCommand(context: CliContext): Command {
  return addAddressOptions(
    new Command('query')
      .description('Ask about measured usage: series, totals, peaks, 95th percentiles.')
      .argument('<meter>', 'cdn, eip or mna')
      .requiredOption('--account <account>', 'whose usage: id, name or number')
      .option('--project <id...>', 'only these projects')
      .option(
        '--start <time>',
        'ISO 8601 with offset, epoch seconds, or an age such as 6h or 30d',
        '1d',
      )
      .option('--end <time>', 'likewise; default now', '0m')
      .addOption(
        new Option('--granularity <width>', 'width of the buckets')
          .choices(['minute', '5min', 'hour', 'day', 'total'])
          .default('hour'),
      )
      .option('--zone <zone>', 'IANA zone of days', 'Asia/Shanghai')
      .option('--filter <dimension=value>', 'only this value; may be repeated', collectFilter)
      .option('--group-by <dimensions>', 'one series per value of these, separated by commas')
      .option('--measures <names>', 'what to compute, separated by commas', 'bytes')
      .option('--sparse', 'leave out buckets without usage')
      .addOption(
        new Option('--output <format>', 'default: table on a terminal, json otherwise').choices([
          'table',
          'json',
          'csv',
        ]),
      ),
  )
    .addHelpText('after', HELP)
    .action(async (meter: string, options: QueryOptions) => {
      const output = options.output ?? (context.isTerminal ? 'table' : 'json')
      const path = `/v1/query${output === 'csv' ? '?format=csv' : ''}`
      const body = toBody(meter, options, context.clock.nowMs())
      const text = await request(addressOf(context, options), 'POST', path, body)
      if (output !== 'table') {
        context.write(output === 'json' ? `${text}\n` : text)
        return
      }
      const { rows } = JSON.parse(text) as { rows: QueryRow[] }
      context.write(renderQueryTable(rows))
    })
}

function collectFilter(
  text: string,
  known: Record<string, string[]> | undefined,
): Record<string, string[]> {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError('Write dimension=value, for example isp=dianxin.')
  const name = text.slice(0, at)
  return { ...known, [name]: [...(known?.[name] ?? []), text.slice(at + 1)] }
}

const AGE_MS: Readonly<Record<string, number>> = {
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/** Reads `6h` as six hours ago; anything else is passed on for the server to read. */
export function toInstant(text: string, nowMs: number): string | number {
  const match = /^(\d+)([mhd])$/.exec(text)
  if (match === null) return text
  return nowMs - Number(match[1]) * (AGE_MS[match[2] ?? ''] ?? 0)
}

function toBody(meter: string, options: QueryOptions, nowMs: number): object {
  const list = (text: string): string[] => text.split(',').map((name) => name.trim())
  return {
    meter,
    account: options.account,
    ...(options.project !== undefined && { projects: options.project }),
    start: toInstant(options.start, nowMs),
    end: toInstant(options.end, nowMs),
    granularity: options.granularity,
    zone: options.zone,
    filters: options.filter ?? {},
    groupBy: options.groupBy === undefined ? [] : list(options.groupBy),
    measures: list(options.measures),
    dense: options.sparse !== true,
  }
}

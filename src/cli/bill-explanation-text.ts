import { groupThousands } from '../core/decimal.ts'
import { formatIn, formatPeriod, formatSlot } from './bill-text.ts'
import type { WireAdjustment, WireCharge, WireLine } from './bill-wire.ts'
import { renderEntries } from './entry-table.ts'

interface WireTraffic {
  readonly type: 'traffic'
  readonly line: WireCharge
  readonly days: readonly {
    readonly start: string
    readonly end: string
    readonly throughBatch: number
    readonly measuredBytes: string
    readonly takenBytes: string
    readonly pricedBytes: string
    readonly resources: readonly {
      readonly resource: string
      readonly project: string
      readonly measuredBytes: string
      readonly pricedBytes: string
    }[]
    readonly packages: readonly { readonly packageId: string | null; readonly bytes: string }[]
    readonly slots:
      | readonly { readonly time: string; readonly resource: string; readonly bytes: string }[]
      | null
  }[]
  readonly steps: readonly string[]
  readonly agrees: boolean
}

interface WireBandwidth {
  readonly type: 'bandwidth'
  readonly line: WireCharge
  readonly throughBatch: number
  readonly members: readonly string[]
  readonly ranking: readonly {
    readonly rank: number
    readonly time: string
    readonly bps: string
    readonly isReported: boolean
    readonly isDropped: boolean
    readonly isSample: boolean
  }[]
  readonly days: readonly {
    readonly start: string
    readonly takesPart: boolean
    readonly slots: number
    readonly dropped: number
    readonly sample: { readonly time: string; readonly bps: string } | null
  }[]
  readonly notBilled: { readonly direction: string; readonly bps: string } | null
  readonly steps: readonly string[]
  readonly agrees: boolean
}

interface WireAdjusted {
  readonly type: 'adjustment'
  readonly line: WireAdjustment
  readonly cause: {
    readonly start: string
    readonly end: string
    readonly batches: readonly number[]
    readonly batchCount: number
  }
  readonly before: WireTraffic | WireBandwidth | null
  readonly after: WireTraffic | WireBandwidth | null
  readonly steps: readonly string[]
  readonly agrees: boolean
}

interface WireBought {
  readonly type: 'package'
  readonly line: WireLine
  readonly steps: readonly string[]
  readonly agrees: boolean
}

/** How one line came about, as the server answers it. */
export interface WireExplained {
  readonly bill: string
  readonly number: number
  readonly zone: string
  readonly explanation: WireTraffic | WireBandwidth | WireAdjusted | WireBought
}

/** Lays an explanation out for a terminal; times are those of the bill's zone. */
export function renderExplanation({ bill, number, zone, explanation }: WireExplained): string {
  const { line, agrees } = explanation
  const verdict = agrees
    ? '✓ Computed again from its usage, the line is the same.\n'
    : '✗ Computed again from its usage, the line is another: usage may have been removed.\n'
  return [
    `${bill}, line ${number}: ${groupThousands(line.amount)} ${line.currency}\n`,
    ...partsOf(explanation, zone),
    verdict,
  ].join('\n')
}

function partsOf(explanation: WireExplained['explanation'], zone: string): string[] {
  if (explanation.type === 'adjustment') {
    const { before, after, cause, steps } = explanation
    return [
      renderCause(cause, zone),
      ...(before === null ? [] : ['Before\n', ...partsOf(before, zone)]),
      ...(after === null ? [] : ['With the late usage\n', ...partsOf(after, zone)]),
      renderSteps(steps),
    ]
  }
  if (explanation.type === 'traffic') return trafficParts(explanation, zone)
  if (explanation.type === 'bandwidth') return bandwidthParts(explanation, zone)
  return [renderSteps(explanation.steps)]
}

function renderCause({ batches, batchCount, ...period }: WireAdjusted['cause'], zone: string) {
  const more = batchCount - batches.length
  const rest = more > 0 ? ` and ${more} more` : ''
  return `Late usage of ${formatPeriod(zone, period)}, from batch ${batches.join(', ')}${rest}.\n`
}

function renderSteps(steps: readonly string[]): string {
  return `Arithmetic\n${steps.map((step) => `  ${step}\n`).join('')}`
}

function trafficParts({ days, steps }: WireTraffic, zone: string): string[] {
  const perDay = days.map((day) => ({
    day: formatIn(zone, day.start).slice(0, 10),
    measured: groupThousands(day.measuredBytes),
    'taken by packages': groupThousands(day.takenBytes),
    priced: groupThousands(day.pricedBytes),
    'through batch': day.throughBatch,
  }))
  const resources = days.flatMap((day) =>
    day.resources.map(({ resource, project, measuredBytes, pricedBytes }) => ({
      day: formatIn(zone, day.start).slice(0, 10),
      resource,
      project,
      measured: groupThousands(measuredBytes),
      priced: groupThousands(pricedBytes),
    })),
  )
  const packages = days.flatMap((day) =>
    day.packages.map(({ packageId, bytes }) => ({
      day: formatIn(zone, day.start).slice(0, 10),
      package: packageId,
      gave: groupThousands(bytes),
    })),
  )
  const slots = days.flatMap((day) =>
    (day.slots ?? []).map(({ time, resource, bytes }) => ({
      slot: formatSlot(zone, time),
      resource,
      bytes: groupThousands(bytes),
    })),
  )
  return [
    titled('Five-minute slots', slots, ['slot', 'resource', 'bytes']),
    titled('Resources, in bytes', resources, ['day', 'resource', 'project', 'measured', 'priced']),
    titled('Packages, to all usage of the day, in bytes', packages, ['day', 'package', 'gave']),
    titled('Days, in bytes', perDay, [
      'day',
      'measured',
      'taken by packages',
      'priced',
      'through batch',
    ]),
    renderSteps(steps),
  ].filter((part) => part !== '')
}

function bandwidthParts(explained: WireBandwidth, zone: string): string[] {
  const { ranking, days, notBilled, members, throughBatch, steps } = explained
  const slots = ranking.map(({ rank, time, bps, isReported, isDropped, isSample }) => ({
    rank,
    slot: formatSlot(zone, time),
    'bit/s': groupThousands(bps),
    what: [
      ...(isSample ? ['← the sample'] : []),
      ...(isDropped ? ['dropped'] : []),
      ...(isReported ? [] : ['not reported']),
    ].join(', '),
  }))
  const perDay = days.map(({ start, takesPart, slots: count, dropped, sample }) => ({
    day: formatIn(zone, start).slice(0, 10),
    'takes part': takesPart,
    slots: count,
    dropped,
    'bit/s': sample === null ? null : groupThousands(sample.bps),
    at: sample === null ? null : formatSlot(zone, sample.time).slice(11),
  }))
  const summed =
    members.length === 0
      ? 'No member reported anything.\n'
      : `Summed per slot: ${members.join(', ')}; usage through batch ${throughBatch}.\n`
  const other =
    notBilled === null
      ? ''
      : `Not billed: ${notBilled.direction} came to ${groupThousands(notBilled.bps)} bit/s.\n`
  return [
    summed,
    titled('Ranked slots, the highest first', slots, ['rank', 'slot', 'bit/s', 'what']),
    titled('Days', perDay, ['day', 'takes part', 'slots', 'dropped', 'bit/s', 'at']),
    other,
    renderSteps(steps),
  ].filter((part) => part !== '')
}

function titled(
  title: string,
  entries: readonly Readonly<Record<string, unknown>>[],
  columns: readonly string[],
): string {
  return entries.length === 0 ? '' : `${title}\n${renderEntries(entries, columns)}`
}

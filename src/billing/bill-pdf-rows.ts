import { groupThousands } from '../core/decimal.ts'
import { unreachable } from '../core/errors.ts'
import { divRound } from '../core/money.ts'
import { type EpochMs } from '../core/clock.ts'
import { toLocal } from '../core/period.ts'
import { GB, GIB, MB, MIB } from '../core/units.ts'
import type {
  AdjustmentBillLine,
  BandwidthBillLine,
  Bill,
  BillLine,
  ChargeLine,
  TrafficBillLine,
} from './bill.ts'
import { dayName } from './period-names.ts'

/** A line as the printed bill shows it. */
export interface PrintedLine {
  readonly number: string
  readonly title: string
  /** Exact figures, in small print. */
  readonly details: readonly string[]
  readonly period: string
  readonly quantity: string
  readonly price: string
  readonly amount: string
}

const PER_UNIT = { GB, GiB: GIB, Mbps: MB, Mibps: MIB } as const
/** Samples that are printed; the explanation has all. */
const SAMPLES_MAX = 3

/**
 * Writes the lines of a bill as they are printed.
 *
 * Units: quantities to three decimals, as people read them; the small print has the exact bytes and
 * bit/s. Amounts are exact.
 * Time: days and times of the bill's zone.
 */
export function printLines(bill: Bill): PrintedLine[] {
  return bill.lines.map((line, index) => ({
    number: String(index + 1),
    ...partsOf(line, bill.zone),
    amount: `${groupThousands(line.amount)} ${line.currency}`,
  }))
}

/** Writes the local days of an interval, `2026-10-01 – 2026-10-31`; of one day, that day. */
export function printDays({ start, end }: { start: string; end: string }, zone: string): string {
  const first = dayName(Date.parse(start), zone)
  const last = dayName(Date.parse(end) - 1, zone)
  return first === last ? first : `${first} –\n${last}`
}

/** Writes an instant on the wall clock of the zone, `2026-10-17 20:35`. */
export function printInstant(instantMs: EpochMs, zone: string): string {
  const { hour, minute } = toLocal(instantMs, zone)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${dayName(instantMs, zone)} ${two(hour)}:${two(minute)}`
}

/** Writes bytes with their unit, `12,345 bytes`. */
export function printBytes(bytes: string): string {
  return `${groupThousands(bytes)} bytes`
}

type Parts = Omit<PrintedLine, 'number' | 'amount'>

function partsOf(line: BillLine, zone: string): Parts {
  switch (line.type) {
    case 'traffic':
      return {
        ...chargeOf(line, zone),
        title: `${line.rule} · ${line.member} · tier ${line.tier}`,
        details: trafficDetails(line),
      }
    case 'bandwidth':
      return { ...chargeOf(line, zone), details: bandwidthDetails(line, zone) }
    case 'adjustment':
      return adjustmentOf(line, zone)
    case 'package':
      return {
        title: `Package ${line.packageId} ${line.event === 'purchase' ? 'bought' : 'given back'}`,
        details: [printBytes(line.sizeBytes)],
        period: printInstant(Date.parse(line.time), zone),
        quantity: '1 package',
        price: '',
      }
    default:
      return unreachable(line)
  }
}

function chargeOf(line: ChargeLine, zone: string): Omit<Parts, 'details'> {
  return {
    title: `${line.rule} · ${line.member}`,
    period: printDays(line, zone),
    quantity: quantityOf(line),
    price: `${groupThousands(line.price)} per ${line.unit}`,
  }
}

function quantityOf(line: ChargeLine): string {
  const billed = line.type === 'traffic' ? line.billedBytes : line.billedBps
  const thousandths = divRound(BigInt(billed) * 1000n, PER_UNIT[line.unit])
  const decimals = String(thousandths % 1000n).padStart(3, '0')
  return `${groupThousands(String(thousandths / 1000n))}.${decimals} ${line.unit}`
}

function trafficDetails({ rawBytes, billedBytes }: TrafficBillLine): string[] {
  const measured = `${groupThousands(rawBytes)} B measured`
  return [
    rawBytes === billedBytes ? measured : `${measured}, ${groupThousands(billedBytes)} B billed`,
  ]
}

function bandwidthDetails(line: BandwidthBillLine, zone: string): string[] {
  const { mode, direction, bps, commitBps, slots, dropped, validDays, days } = line
  return [
    `${mode}, ${direction}: ${groupThousands(bps)} bit/s`,
    ...(commitBps === '0' ? [] : [`commitment ${groupThousands(commitBps)} bit/s`]),
    `${groupThousands(String(slots))} slots on ${validDays} of ${days} days, ${dropped} dropped`,
    ...samplesOf(line, zone),
  ]
}

function samplesOf({ samples }: BandwidthBillLine, zone: string): string[] {
  const shown = samples
    .slice(0, SAMPLES_MAX)
    .map(
      ({ time, bps }) => `${groupThousands(bps)} bit/s at ${printInstant(Date.parse(time), zone)}`,
    )
  const more = samples.length - shown.length
  return more > 0 ? [...shown, `and ${more} more samples`] : shown
}

function adjustmentOf(line: AdjustmentBillLine, zone: string): Parts {
  const { before, after } = line
  const [old, now] = [before?.amount ?? '0.00', after?.amount ?? '0.00']
  return {
    title: `${line.rule} · ${line.member}: late usage in a closed ${line.of}`,
    details: [
      `${groupThousands(old)} became ${groupThousands(now)} ${line.currency}`,
      ...sideOf('before', before, zone),
      ...sideOf('now', after, zone),
    ],
    period: printDays(line, zone),
    quantity: '',
    price: '',
  }
}

function sideOf(side: string, line: ChargeLine | null, zone: string): string[] {
  if (line === null) return [`${side}: no line`]
  const details = line.type === 'traffic' ? trafficDetails(line) : bandwidthDetails(line, zone)
  return details.map((text, index) => (index === 0 ? `${side}: ${text}` : text))
}

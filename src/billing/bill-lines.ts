import { exactDecimal } from '../core/decimal.ts'
import { unreachable } from '../core/errors.ts'
import { GB, GIB, MB, MIB } from '../core/units.ts'
import type { BillLine, ChargeLine } from './bill.ts'

/** How much a line is about: what is priced, and what was measured. */
export interface LineQuantity {
  /** What is priced, in `unit`. */
  readonly priced: string
  readonly unit: ChargeLine['unit']
  /** In bytes or bit/s. */
  readonly measured: string
}

/** One bit/s or byte is so much of a line's unit. */
const PER_UNIT = { GB, GiB: GIB, Mbps: MB, Mibps: MIB } as const

/**
 * Reads how much a line of usage is about.
 *
 * Units: decimal text; what is priced is exact, however many digits that takes.
 */
export function quantityOf(line: ChargeLine): LineQuantity {
  const [priced, measured] =
    line.type === 'traffic' ? [line.billedBytes, line.rawBytes] : [line.billedBps, line.bps]
  const per = PER_UNIT[line.unit]
  return { priced: exactDecimal(BigInt(priced), per), unit: line.unit, measured }
}

/** Tells what a line is for, in one sentence that stands alone. */
export function describeLine(line: BillLine): string {
  switch (line.type) {
    case 'traffic':
      return (
        `Traffic of ${line.member} by rule ${line.rule}, tier ${line.tier}, ` +
        `at ${line.price} ${line.currency} per ${line.unit}`
      )
    case 'bandwidth':
      return (
        `Bandwidth of ${line.member} by rule ${line.rule} (${line.mode}, ${line.direction}), ` +
        `at ${line.price} ${line.currency} per ${line.unit}`
      )
    case 'adjustment':
      return (
        `Late usage of ${line.member} by rule ${line.rule} in a closed ${line.of}: ` +
        `${line.before?.amount ?? '0.00'} became ${line.after?.amount ?? '0.00'} ${line.currency}`
      )
    case 'package': {
      const verb = { purchase: 'bought', refund: 'given back' }[line.event]
      return `Traffic package ${line.packageId} of ${line.sizeBytes} bytes ${verb}`
    }
    default:
      return unreachable(line)
  }
}

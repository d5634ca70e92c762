import { groupThousands } from '../core/decimal.ts'
import type { Bill, BillVolume, BillVolumePeriod } from './bill.ts'
import { printBytes, printInstant } from './bill-pdf-rows.ts'
import type { Column, Row } from './pdf-page.ts'

/** With the gaps between them as wide as the table of lines. */
export const VOLUME_COLUMNS: readonly Column[] = [
  { title: 'Resets', width: 36, align: 'left' },
  { title: 'Package', width: 196, align: 'left' },
  { title: 'Period', width: 92, align: 'left' },
  { title: 'Covered', width: 77, align: 'right' },
  { title: 'Excess', width: 77, align: 'right' },
]

/**
 * Writes the refilling packages of a bill as they are printed, a row for each period.
 *
 * Units: bytes, exact. Time: of the bill's zone.
 */
export function printVolumes({ exclusive = [], zone }: Bill): Row[] {
  return exclusive.flatMap((volume) =>
    volume.periods.length === 0
      ? [rowOf(volume, ['not used', '0', '0'], [])]
      : volume.periods.map((period) => periodRow(volume, period, zone)),
  )
}

function periodRow(volume: BillVolume, period: BillVolumePeriod, zone: string): Row {
  const { start, end, usedBytes, coveredBytes, excessBytes } = period
  const [from, to] = [start, end].map((at) => printInstant(Date.parse(at), zone))
  const cells = [`${from} –\n${to}`, groupThousands(coveredBytes), groupThousands(excessBytes)]
  const used = `${printBytes(usedBytes)} used up so far, with other bills`
  return rowOf(volume, cells, usedBytes === coveredBytes ? [] : [used])
}

function rowOf(
  { packageId, resourceId, sizeBytes, resetPolicy }: BillVolume,
  cells: readonly string[],
  details: readonly string[],
): Row {
  return {
    cells: [resetPolicy, packageId, ...cells],
    details: [resourceId, `${printBytes(sizeBytes)} in each period`, ...details],
  }
}

import type { Bytes } from '../../core/units.ts'
import { GIB, toUnitFloat } from '../../core/units.ts'
import { type AreaTotals, trafficTotals } from '../operations/traffic-totals.ts'
import { PROJECT_ID, projectAction } from './action.ts'

/** Answers what the account bought, used and has left of prepaid CDN traffic, per area. */
export const getUcdnTrafficV2 = projectAction({
  name: 'GetUcdnTrafficV2',
  summary:
    'Prepaid CDN traffic of the account per area: total, used and left in GB (1024^3 bytes).',
  source: 'ucloud.md §4.2; contract "Get Total Account Traffic Information [New]"',
  parameters: {
    ProjectId: PROJECT_ID,
    IsDcdn: {
      type: 'bool',
      required: false,
      doc: 'true: packages of whole-site acceleration (dynamic); default false: static.',
    },
  },
  answer: async ({ IsDcdn }, { caller, deps }) => {
    const totals = await trafficTotals(caller, IsDcdn === true ? 'dynamic' : 'static', deps)
    return { TrafficSet: totals.map(toWire) }
  },
})

function toWire({ area, totalBytes, usedBytes, leftBytes }: AreaTotals) {
  return {
    Areacode: area,
    TrafficTotal: gigabytes(totalBytes),
    TrafficLeft: gigabytes(leftBytes),
    TrafficUsed: gigabytes(usedBytes),
  }
}

function gigabytes(bytes: Bytes): number {
  return toUnitFloat(bytes, GIB)
}

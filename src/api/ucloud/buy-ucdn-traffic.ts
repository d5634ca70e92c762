import type { Area } from '../../catalog/model.ts'
import { AppError } from '../../core/errors.ts'
import { gigaBytes } from '../../core/units.ts'
import { buyPackage } from '../operations/buy-package.ts'
import { PROJECT_ID, projectAction } from './action.ts'

/** What the vendor sells by this call lasts a year. */
const MONTHS = 12

/** Buys the account a package of static CDN traffic. */
export const buyUcdnTraffic = projectAction({
  name: 'BuyUcdnTraffic',
  summary:
    'Buys a package of static CDN traffic for one year from now: an offer of the account’s rule pack of this size and area.',
  source: 'ucloud.md §4.2; ucdn charge/flowday_new.md',
  parameters: {
    ProjectId: PROJECT_ID,
    Traffic: {
      type: 'int',
      required: true,
      doc: 'Whole GB, of 1000^3 or 1024^3 bytes as the brand counts traffic of the area.',
    },
    Areacode: {
      type: 'string',
      required: false,
      choices: ['cn', 'abroad'],
      doc: 'cn (default) or abroad.',
    },
  },
  fields: { size: 'Traffic' },
  answer: async ({ Traffic, Areacode }, { caller, deps }) => {
    if (Traffic <= 0) {
      throw new AppError('parameter_invalid', 'Traffic must be above 0.', { field: 'Traffic' })
    }
    const area: Area = Areacode === 'abroad' ? 'abroad' : 'cn'
    const { radixCn, radixAbroad } = caller.brand
    const sizeBytes = BigInt(Traffic) * gigaBytes(area === 'cn' ? radixCn : radixAbroad)
    const offer = { sizeBytes, area, kind: 'static', plainMonths: MONTHS } as const
    await buyPackage(caller, { meter: 'cdn', offer, resources: null }, deps)
    return {}
  },
})

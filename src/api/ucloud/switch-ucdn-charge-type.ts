import { switchChargeType } from '../operations/switch-charge-type.ts'
import { PROJECT_ID, projectAction } from './action.ts'

/** Bills the account's CDN by traffic or by bandwidth from the next day on. */
export const switchUcdnChargeType = projectAction({
  name: 'SwitchUcdnChargeType',
  summary:
    'Bills the whole account by traffic or by bandwidth from the next 00:00 on; the last of a day wins.',
  source: 'ucloud.md §4.2',
  parameters: {
    ProjectId: PROJECT_ID,
    ChargeType: { type: 'string', required: true, doc: '"traffic" or "bandwidth".' },
  },
  fields: { chargeType: 'ChargeType' },
  answer: async ({ ChargeType }, { caller, deps }) => {
    await switchChargeType(caller, ChargeType, deps)
    return {}
  },
})

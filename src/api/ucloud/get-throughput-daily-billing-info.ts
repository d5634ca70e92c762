import { eipDailyBilling } from '../operations/eip-daily-billing.ts'
import { PROJECT_ID, projectAction } from './action.ts'

/** Answers the daily traffic bills of one elastic IP. */
export const getThroughputDailyBillingInfo = projectAction({
  name: 'GetThroughputDailyBillingInfo',
  summary: 'Outbound traffic of an elastic IP per billing day in whole GB (1024^3 bytes).',
  source: 'ucloud.md §5.1; contract "Retrieve daily traffic billing information for EIP"',
  parameters: {
    Region: { type: 'string', required: true, doc: 'Region of the elastic IP.' },
    ProjectId: PROJECT_ID,
    EIPId: { type: 'string', required: true, doc: 'Id of the elastic IP.' },
    StartTime: { type: 'seconds', required: true, doc: 'Start of the range.' },
    EndTime: { type: 'seconds', required: true, doc: 'End of the range, exclusive.' },
  },
  fields: { region: 'Region', eip: 'EIPId', start: 'StartTime', end: 'EndTime' },
  answer: async (values, { caller, project, deps }) => {
    const billing = await eipDailyBilling(
      caller,
      {
        projectId: project.id,
        region: values.Region,
        eip: values.EIPId,
        startMs: values.StartTime,
        endMs: values.EndTime,
      },
      deps,
    )
    const totalOut = Number(billing.totalGb)
    return {
      EIPId: billing.resourceId,
      Stats: billing.days.map((day) => ({
        StartTime: day.startMs / 1000,
        EndTime: day.endMs / 1000,
        QuantityOut: Number(day.quantityGb),
        BillingState: day.isCharged ? 'Yes' : 'No',
      })),
      TotalOut: totalOut,
      // Only the document's example shows it, as a string.
      ...(caller.brand.responseAliases && { TotalOutSize: String(totalOut) }),
    }
  },
})

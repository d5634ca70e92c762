import { exclusivePackage } from '../operations/exclusive-package.ts'
import { PROJECT_ID, projectAction } from './action.ts'

/** Answers size, rest and resets of an elastic IP's exclusive traffic package. */
export const getEipExclusiveUtpInfo = projectAction({
  name: 'GetEIPExclusiveUTPInfo',
  summary: "Size and rest of an elastic IP's exclusive traffic package in MB (1024^2 bytes).",
  source: 'ucloud.md §5.1; contract "Obtain EIP Exclusive Traffic Package Information"',
  parameters: {
    Region: { type: 'string', required: true, doc: 'Region of the elastic IP.' },
    Zone: { type: 'string', required: true, doc: 'A zone of that region.' },
    ProjectId: PROJECT_ID,
    EIPId: { type: 'string', required: true, doc: 'Id of the elastic IP.' },
  },
  fields: { region: 'Region', zone: 'Zone', eip: 'EIPId' },
  answer: async ({ Region, Zone, EIPId }, { caller, project, deps }) => {
    const state = await exclusivePackage(
      caller,
      { projectId: project.id, region: Region, zone: Zone, eip: EIPId },
      deps,
    )
    const info = {
      EIPId: state.resourceId,
      AccountId: caller.payer.number,
      TotalSize: Number(state.totalMb),
      AvailableSize: Number(state.availableMb),
      LastResetTime: seconds(state.period.startMs),
      NextResetTime: seconds(state.period.endMs),
      ResetPolicy: state.package.resetPolicy,
      CreateTime: seconds(state.package.createdMs),
    }
    // The document's table says EIPExclusiveInfo, its example ExclusiveInfo.
    return {
      EIPExclusiveInfo: info,
      ...(caller.brand.responseAliases && { ExclusiveInfo: info }),
    }
  },
})

function seconds(instantMs: number): number {
  return Math.floor(instantMs / 1000)
}

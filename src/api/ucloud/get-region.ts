import { listRegions } from '../operations/regions.ts'
import { accountAction } from './action.ts'

/** Answers every region, one row per zone. */
export const getRegion = accountAction({
  name: 'GetRegion',
  summary: 'Regions and zones, one row per zone.',
  source: 'ucloud.md §6',
  parameters: {},
  answer: async (_values, { deps }) => {
    const regions = await listRegions(deps)
    return {
      Regions: regions.flatMap((region) =>
        region.zones.map((zone) => ({
          RegionId: region.regionId,
          RegionName: region.name,
          IsDefault: region.isDefault,
          BitMaps: '',
          Region: region.region,
          Zone: zone,
        })),
      ),
    }
  },
})

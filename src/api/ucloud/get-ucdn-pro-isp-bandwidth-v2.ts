import type { SeriesGranularity } from '../operations/buckets.ts'
import { RawJson } from '../json-text.ts'
import { provinceBandwidth } from '../operations/province-bandwidth.ts'
import { PROJECT_ID, projectAction } from './action.ts'
import type { ListItem } from './parameters.ts'

/** By the vendor's `Type`. */
const GRANULARITIES: readonly SeriesGranularity[] = ['5min', 'hour', 'day', 'minute']

/** Answers bandwidth and traffic of CDN domains per province. */
export const getUcdnProIspBandwidthV2 = projectAction({
  name: 'GetUcdnProIspBandwidthV2',
  summary: 'Peak bandwidth in Mbps and bytes per bucket of CDN domains, per province.',
  source: 'ucloud.md §4.2; contract "Obtain domain bandwidth data by province and operator [New]"',
  parameters: {
    ProjectId: PROJECT_ID,
    BeginTime: { type: 'seconds', required: true, doc: 'Start of the range; rounded down.' },
    EndTime: { type: 'seconds', required: true, doc: 'End of the range; rounded up.' },
    Type: {
      type: 'int',
      required: true,
      choices: [0, 1, 2, 3],
      doc: '0: 5 minutes, 1: hour, 2: day, 3: minute.',
    },
    DomainId: { type: 'list', required: false, doc: 'Domain ids; all domains when absent.' },
    Province: {
      type: 'list',
      required: false,
      doc: 'Province codes (pinyin); all provinces with usage when absent.',
    },
    Isp: { type: 'string', required: false, doc: 'One carrier code (pinyin); all when absent.' },
  },
  fields: {
    start: 'BeginTime',
    end: 'EndTime',
    isp: 'Isp',
    domain: 'DomainId',
    province: 'Province',
  },
  answer: async (values, { caller, project, deps }) => {
    const { brand } = caller
    const series = await provinceBandwidth(
      caller,
      {
        projectId: project.id,
        startMs: values.BeginTime,
        endMs: values.EndTime,
        granularity: GRANULARITIES[values.Type] ?? '5min',
        domains: listed(values.DomainId),
        provinces: listed(values.Province),
        isp: values.Isp,
        // The document's table says BandwidthTrafficList, its example BandwidthList.
        listNames: brand.responseAliases
          ? ['BandwidthTrafficList', 'BandwidthList']
          : ['BandwidthTrafficList'],
      },
      deps,
    )
    return {
      BandwidthSet: new RawJson(series),
      RadixCn: brand.radixCn,
      RadixAbroad: brand.radixAbroad,
    }
  },
})

function listed(items: readonly ListItem[]) {
  return items.map(({ value }, index) => ({ index, value }))
}

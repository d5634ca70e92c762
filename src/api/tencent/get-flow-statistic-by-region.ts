import { ACCESS_REGIONS } from '../../meters/places.ts'
import type { SeriesGranularity } from '../operations/buckets.ts'
import { flowStatistics } from '../operations/flow-statistics.ts'
import { tencentAction } from './action.ts'

/** Last second of the year 9999. */
const SECONDS_MAX = 253_402_300_799

/** By the vendor's `Type`. */
const DIRECTIONS: Readonly<Record<number, readonly ('up' | 'down')[]>> = {
  1: ['up'],
  2: ['down'],
  3: ['up', 'down'],
}

/** By the vendor's `TimeGranularity`. */
const GRANULARITIES: Readonly<Record<number, SeriesGranularity>> = {
  1: 'hour',
  2: 'day',
  3: 'minute',
  4: '5min',
}

/** Answers the traffic of all gateway devices of the account. */
export const getFlowStatisticByRegion = tencentAction({
  name: 'GetFlowStatisticByRegion',
  summary: 'Traffic of all gateway devices of the account in bytes per bucket, by access region.',
  source: 'tencent.md §3.3; contract "Retrieve traffic usage data for the specified region"',
  parameters: {
    BeginTime: {
      type: 'Integer',
      required: true,
      range: [0, SECONDS_MAX],
      doc: 'Start in Unix seconds; its whole bucket counts.',
    },
    EndTime: {
      type: 'Integer',
      required: true,
      range: [0, SECONDS_MAX],
      doc: 'End in Unix seconds; its whole bucket counts.',
    },
    Type: {
      type: 'Integer',
      required: true,
      choices: [1, 2, 3],
      doc: '1: uplink, 2: downlink, 3: sum of both.',
    },
    TimeGranularity: {
      type: 'Integer',
      required: true,
      choices: [1, 2, 3, 4],
      doc: '1: hour, 2: day, 3: minute, 4: five minutes.',
    },
    GatewayType: {
      type: 'Integer',
      required: true,
      choices: [0, 1],
      doc: '0: public cloud gateway, 1: private gateway.',
    },
    AccessRegion: {
      type: 'String',
      required: false,
      choices: ACCESS_REGIONS,
      doc: 'MC, AP, EU or AM; all when blank.',
    },
  },
  fields: { end: 'EndTime' },
  answer: async (values, { caller, deps }) => {
    const { points, maxBytes, totalBytes } = await flowStatistics(
      caller,
      {
        firstMs: values.BeginTime * 1000,
        lastMs: values.EndTime * 1000,
        granularity: GRANULARITIES[values.TimeGranularity] ?? 'hour',
        directions: DIRECTIONS[values.Type] ?? [],
        gatewayType: values.GatewayType === 0 ? '0' : '1',
        accessRegion: values.AccessRegion,
      },
      deps,
    )
    const total = Number(totalBytes)
    return {
      NetDetails: points.map(({ startMs, bytes }) => ({
        Current: Number(bytes),
        // Go's client refuses a number here.
        Time: String(startMs / 1000),
      })),
      MaxValue: Number(maxBytes),
      AvgValue: points.length === 0 ? 0 : total / points.length,
      TotalValue: total,
    }
  },
})

import type { Area, MeterName } from '../catalog/model.ts'
import type { EpochMs } from '../core/clock.ts'
import type { Interval } from '../core/period.ts'
import type { MemberUsage } from '../rating/bandwidth-usage.ts'
import type { TrafficUsage } from '../rating/traffic-usage.ts'

/** Which volumes to sum, and how far. */
export interface TrafficUsageQuery {
  readonly accountId: string
  readonly meter: MeterName
  /** Usage is summed from each cut to the next, the last one to `endMs`; ascending. */
  readonly cutsMs: readonly EpochMs[]
  readonly endMs: EpochMs
  /** On what all cuts and the end lie; the rollups answer what lies on five minutes. */
  readonly grain: '5min' | 'minute'
  /** Tells provinces apart; otherwise they are all one and have no name. */
  readonly byProvince: boolean
}

/** Which slots to sum, and for whom. */
export interface SlotUsageQuery extends Interval {
  readonly accountId: string
  readonly meter: MeterName
  readonly member: 'account' | 'project' | 'resource'
  readonly areas?: readonly Area[]
  readonly provinces?: readonly string[]
  readonly kinds?: readonly ('static' | 'dynamic')[]
  /** Whether the highest minute of each slot is wanted, too. */
  readonly samples: boolean
}

/**
 * What rating reads of the measured usage.
 *
 * Shape: only what moved; a slot or a sum of nothing is absent. For a gateway device, up counts as
 * out and down as in; addresses and gateways are in the area `cn`, of kind `static`.
 * Errors: `too_large` for more rows than rating can hold.
 */
export interface RatingUsageReader {
  trafficUsage(query: TrafficUsageQuery): Promise<TrafficUsage[]>
  slotUsage(query: SlotUsageQuery): Promise<MemberUsage[]>
}

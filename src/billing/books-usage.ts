import type { AreaScope, MeterName } from '../catalog/model.ts'
import type { EpochMs } from '../core/clock.ts'
import type { Interval } from '../core/period.ts'
import type { Bytes } from '../core/units.ts'
import type { MemberUsage } from '../rating/bandwidth-usage.ts'
import type { TrafficUsage } from '../rating/traffic-usage.ts'
import type { UsageProof } from './book.ts'

/**
 * Whose usage is read, and from which rows.
 *
 * `throughBatch` null: all that is loaded, answered by the rollups. A number: only rows that came
 * with a batch up to it, answered by the usage itself, so that a bill can be computed again.
 */
export interface BooksScope {
  readonly meter: MeterName
  readonly accountIds: readonly string[]
  readonly throughBatch: number | null
  /**
   * All resources of the meter that were ever the accounts', where they are known and few: usage
   * is sorted by them, so that one account is found without looking at the others.
   */
  readonly resourceIds?: readonly string[]
}

/** Which volumes to sum, and how far. */
export interface BooksTrafficQuery extends BooksScope {
  /** Usage is summed from each cut to the next, the last one to `endMs`; ascending. */
  readonly cutsMs: readonly EpochMs[]
  readonly endMs: EpochMs
  /** On what all cuts and the end lie; the rollups answer what lies on five minutes. */
  readonly grain: '5min' | 'minute'
  /** Tells provinces apart; otherwise they are all one and have no name. */
  readonly byProvince: boolean
  /**
   * Tells billing regions apart; otherwise they are the area. Only who asks pays for it: domains'
   * usage is stored for reading without them, and by region only together with provinces.
   */
  readonly byRegion: boolean
  /**
   * Whose usage is told apart, resources when absent; who is not has no name. An account with
   * thousands of resources is a few rows a day where nobody asks for them.
   */
  readonly members?: 'account' | 'project' | 'resource'
}

/** For whom slots are summed, and which usage is in them. */
export interface BooksMembers extends BooksScope, Interval {
  readonly member: 'account' | 'project' | 'resource'
  /** Which usage they take in is what `coversArea` says. */
  readonly areas?: readonly AreaScope[]
  readonly provinces?: readonly string[]
  readonly kinds?: readonly ('static' | 'dynamic')[]
}

/** Which slots to sum. */
export interface BooksSlotQuery extends BooksMembers {
  /** Whether the highest minute of each slot is wanted, too. */
  readonly samples: boolean
  /**
   * Whether slots of which there are only records of zero bytes are wanted, too. They are answered
   * by the usage itself: sums forget rows of zeros.
   */
  readonly reported?: boolean
}

/** Which slot to find by its rank among all slots of the interval. */
export interface BooksRankQuery extends BooksMembers {
  readonly direction: 'out' | 'in' | 'sum' | 'max-per-slot'
  /** How many of the highest are passed over; fewer than the interval has slots. */
  readonly dropped: number
}

/** The slot that was found for one member. */
export interface RankedMember {
  readonly memberId: string
  /** Of equal slots the earliest. */
  readonly startMs: EpochMs
  readonly bytes: Bytes
  /** False: nothing moved in it, which counts as zero. */
  readonly isReported: boolean
}

/** Usage that came after a batch, into a time that is over. */
export interface LateUsage {
  readonly accountId: string
  /** Start of the quarter of an hour; every local day begins on one. */
  readonly startMs: EpochMs
  /** The highest of the batches that it came with. */
  readonly batch: number
}

/**
 * What the books read of the measured usage, for many accounts at once.
 *
 * Shape: only what moved; an account without usage is absent from the maps. Entries are ordered by
 * start, resource, project, area, region, kind, province, then out before in: the same at every
 * reading.
 * A slot in which nothing moved is absent, unless `reported` slots are asked for and zero bytes of
 * it were reported. For a gateway device, up counts as out and down as in; addresses and
 * gateways are in the area `cn`, of kind `static`.
 * Errors: `too_large` for more rows than can be held.
 */
export interface BooksUsage {
  /** The highest batch in the meter's usage; 0: there is none. */
  lastBatch(meter: MeterName): Promise<number>
  traffic(query: BooksTrafficQuery): Promise<ReadonlyMap<string, readonly TrafficUsage[]>>
  slots(query: BooksSlotQuery): Promise<ReadonlyMap<string, readonly MemberUsage[]>>
  /** `throughBatch` is a number here; accounts without rows are absent. */
  proofs(
    query: BooksScope & Interval & { readonly throughBatch: number },
  ): Promise<ReadonlyMap<string, UsageProof>>
  /**
   * Compares every rollup of the meter with its usage in the interval, and rebuilds those that
   * differ by one byte; the names of the tables that were rebuilt.
   *
   * Limits: nothing may be loaded meanwhile.
   */
  repair(meter: MeterName, interval: Interval): Promise<readonly string[]>
  /** Usage of batches in `(after, through]` that moved in the interval, of all or some accounts. */
  late(
    meter: MeterName,
    interval: Interval,
    batches: { readonly after: number; readonly through: number },
    whose?: Pick<BooksScope, 'accountIds' | 'resourceIds'>,
  ): Promise<readonly LateUsage[]>
  /**
   * Accounts of which usage of batches after one moved in the interval; null: more than 1,000.
   *
   * Limits: reads no more than these accounts' rows, so it may be asked often.
   */
  lateAccounts(
    meter: MeterName,
    interval: Interval,
    afterBatch: number,
  ): Promise<ReadonlySet<string> | null>
}

/** Batches that brought usage of one account into a stretch of time. */
export interface UsageBatches {
  /** Numbers of the first of them, ascending. */
  readonly numbers: readonly number[]
  readonly count: number
}

/** Tells what usage came with. */
export interface UsageOrigin {
  /** Batches in `(afterBatch, throughBatch]` that brought usage of the account in the interval. */
  batches(
    query: Pick<BooksScope, 'meter'> &
      Interval & {
        readonly accountId: string
        readonly afterBatch: number
        readonly throughBatch: number
        /** So many are named. */
        readonly namedMax: number
      },
  ): Promise<UsageBatches>
}

/**
 * What the books read where the engine can rank for them: millions of slots become one per member.
 *
 * Shape: every slot of the interval is ranked, one in which nothing moved as zero; members that
 * moved nothing are absent. Members ascend by id.
 * Time: the interval lies on five minutes.
 */
export interface RankedUsage {
  rankedSlots(query: BooksRankQuery): Promise<ReadonlyMap<string, readonly RankedMember[]>>
}

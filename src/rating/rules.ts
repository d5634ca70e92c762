import type { AreaScope } from '../catalog/model.ts'
import type { DayWindow } from '../core/day-window.ts'
import type { Nano } from '../core/money.ts'
import type { Bytes, Radix } from '../core/units.ts'

/**
 * What a rule pack says, as data. Each choice that vendors make differently is a field: nothing is
 * implied. Defaults belong to the packs and their schema, not to the rules.
 */
export type Rule = TrafficRule | BandwidthRule

/** At which level usage is summed before it is tiered or ranked; `group` names resources. */
export type Level = 'account' | 'project' | 'resource' | 'group'

/**
 * Usage that a line is about; every list that is present must contain the usage's value. In `areas`
 * it is enough that either its area or its billing region is named.
 */
export interface Scope {
  readonly areas?: readonly AreaScope[]
  /** Province codes. */
  readonly provinces?: readonly string[]
  readonly kinds?: readonly ('static' | 'dynamic')[]
  readonly directions?: readonly ('in' | 'out')[]
}

export type { DayWindow } from '../core/day-window.ts'

/** A step of a price list; `upToBytes` or `upToBps` null: without end. */
export interface TrafficTier {
  readonly upToBytes: Bytes | null
  /** For one GB or GiB, by the rule's radix. */
  readonly price: Nano
}

/** Priced by volume. */
export interface TrafficRule {
  readonly type: 'traffic'
  readonly name: string
  readonly level: Level
  readonly scope: Scope
  /** Only usage in one of these local times; empty: at any time. */
  readonly windows: readonly DayWindow[]
  /**
   * Billed bytes per raw byte as a fraction, rounded half away from zero once per line: 11/10 adds
   * ten percent for headers and retransmissions.
   */
  readonly overhead: { readonly numerator: bigint; readonly denominator: bigint }
  /** A resource's day below this is free; at or above it, all of it is billed. 0: none is free. */
  readonly freeBelowBytesPerDay: Bytes
  /** GB = 10^9 or GiB = 2^30. */
  readonly radix: Radix
  /** `graduated`: each tier prices what falls into it; `volume`: the reached tier prices all. */
  readonly tiering: 'graduated' | 'volume'
  /** Ascending; the last is without end. A flat price is one tier. */
  readonly tiers: readonly TrafficTier[]
  /** Span over which tiers count. */
  readonly period: 'day' | 'month'
}

/** How a month or day of slots becomes one bandwidth. */
export type BandwidthMode =
  | 'daily-peak'
  | 'monthly-95'
  | 'mean-of-daily-95'
  | 'mean-of-daily-peaks'
  | 'fourth-highest-daily-peak'
  | 'sum-of-daily-peaks'
  | 'top-5-mean'

/** Priced by bandwidth. */
export interface BandwidthRule {
  readonly type: 'bandwidth'
  readonly name: string
  readonly level: Level
  readonly scope: Scope
  readonly mode: BandwidthMode
  /** `mean`: bytes of five minutes; `max-sample`: the highest of the shorter samples in them. */
  readonly slot: 'mean' | 'max-sample'
  /** `max-of-both`: each direction is ranked alone and the higher result is billed. */
  readonly direction: 'out' | 'in' | 'max-per-slot' | 'max-of-both' | 'sum'
  /** Which days take part: all, or those whose total is above so many bytes. */
  readonly validDay: 'all' | { readonly aboveBytes: Bytes }
  /**
   * Slots that are left out, which makes the period that much shorter: none (`zero`), those in
   * which nothing moved (`exclude`), or those without any record, not even one of zero bytes.
   */
  readonly missingSlot: 'zero' | 'exclude' | 'exclude-unreported'
  /** How many of N slots are dropped: `percent` % of N, rounded this way. */
  readonly rank: { readonly percent: number; readonly rounding: 'floor' | 'ceil' | 'round' }
  /** Mbps = 10^6 or 2^20 bit/s. */
  readonly radix: Radix
  /** Always billed, whatever was used; 0: none. */
  readonly commitBps: bigint
  /** For one Mbps in the period. */
  readonly price: Nano
  /** For one Mbps above the commitment; null: the same price. */
  readonly overagePrice: Nano | null
  /** `valid-days`: × days that took part ÷ days of the period. */
  readonly proRata: 'none' | 'valid-days'
  /**
   * A month of which the rule was in force on some days only, since the mode was switched or the
   * book began: `share`: × days in force ÷ days of the month; `whole`: billed like a whole month.
   */
  readonly partialMonth: 'share' | 'whole'
}

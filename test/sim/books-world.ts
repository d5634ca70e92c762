/**
 * What a simulated book is made of: who owned what when, what was measured, when it came, when
 * closing ran. Plain data, so that the product and the oracle can be given the same.
 */
import type { ExclusiveVolume } from '../../src/billing/book.ts'
import type { ContentKind, MeterName, PayMode } from '../../src/catalog/model.ts'
import type { EpochMs } from '../../src/core/clock.ts'
import type { BillingRegion } from '../../src/meters/places.ts'
import type { Bytes } from '../../src/core/units.ts'
import type { PrepaidPackage } from '../../src/rating/package-terms.ts'
import type { RulePack } from '../../src/rating/rule-pack.ts'

/** What one resource moved in one minute, as one line of a source. */
export interface SimRecord {
  /** Sent again with the same content, it changes nothing. */
  readonly id: string
  readonly minuteMs: EpochMs
  readonly arrivedMs: EpochMs
  readonly resourceId: string
  /** Abroad unless it is `cn`; `abroad`: nobody knows where. */
  readonly billingRegion: BillingRegion
  readonly province: string
  readonly direction: 'in' | 'out'
  /** Above zero. */
  readonly bytes: Bytes
}

/** From `fromMs` on; the last one that is not later counts. */
export interface Since<T> {
  readonly fromMs: EpochMs
  readonly value: T
}

/** A domain, address or gateway. */
export interface SimResource {
  readonly id: string
  readonly kind: ContentKind
  /** Owned from then on. */
  readonly createdMs: EpochMs
  /** When the catalog learnt of it: what comes before is refused as unknown. */
  readonly registeredMs: EpochMs
  /** When what was refused is taken in again; null: never. */
  readonly replayedMs: EpochMs | null
  /** Ascending, the first from its creation. */
  readonly projects: readonly Since<string>[]
  /** Ascending, the first from its creation. Only addresses are ever paid otherwise. */
  readonly payModes: readonly Since<PayMode>[]
}

/** A package, and when it was given back, untouched; null: it never was. */
export interface SimPackage extends PrepaidPackage {
  readonly refundedMs: EpochMs | null
}

/** A wish to be billed by another pack from the next local midnight on. */
export interface ModeSwitch {
  readonly atMs: EpochMs
  readonly pack: RulePack
}

/**
 * What the operator's clock does, in its order. `adjust`: late usage that has come so far is
 * booked; `close`: every day that has settled is closed, and each month whose last day that was.
 */
export interface SimStep {
  readonly kind: 'adjust' | 'close'
  readonly atMs: EpochMs
}

/** One book with its life. */
export interface SimBook {
  readonly accountId: string
  readonly meter: MeterName
  readonly zone: string
  readonly resources: readonly SimResource[]
  readonly groups: Readonly<Record<string, readonly string[]>>
  /** In force from the book's first day. */
  readonly firstPack: RulePack
  /** Ascending. */
  readonly switches: readonly ModeSwitch[]
  readonly packages: readonly SimPackage[]
  readonly exclusive: readonly ExclusiveVolume[]
  readonly records: readonly SimRecord[]
  /** A day may be closed so long after its end. */
  readonly settleMs: number
  readonly steps: readonly SimStep[]
}

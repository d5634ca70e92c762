import type { EpochMs } from '../core/clock.ts'
import type { Interval } from '../core/period.ts'

/** What is expected of a source: all the time, now and then, or nothing any more. */
export type Expectation = 'continuous' | 'sporadic' | 'retired'

/** Whole 5-minute slots of which a source has no more to report than it did. */
export interface Beat extends Interval {
  readonly source: string
}

/** One numbered request of a source. */
export interface NumberedRequest {
  readonly source: string
  /** `Weir-Sequence`: one more than that of the request before. */
  readonly number: number
  readonly receivedMs: EpochMs
}

/** A part of a log file that is gone and that nobody read. */
export interface LostPart extends Interval {
  readonly source: string
  /** Identity of the file. */
  readonly file: string
}

/** Keeps how completely sources report. Every call may be repeated. */
export interface CoverageLog {
  /**
   * Remembers beats, at most one row per source and slot.
   *
   * Time: slots that ended more than a minute ago are remembered as known since now.
   */
  recordBeats(beats: readonly Beat[], nowMs: EpochMs): Promise<void>
  /** Remembers that a source has sent all that moved until then, since it last said so. */
  recordThrough(source: string, throughMs: EpochMs, nowMs: EpochMs): Promise<void>
  /**
   * Remembers numbers; those left out are a gap until they arrive, those known are ignored.
   */
  recordNumbers(numbers: readonly NumberedRequest[], nowMs: EpochMs): Promise<void>
  recordGap(lost: LostPart, nowMs: EpochMs): Promise<void>
  /** Remembers what is expected of sources where that changed; those not named stay as they are. */
  noteExpectations(
    origin: 'catalog' | 'config',
    expectations: ReadonlyMap<string, Expectation>,
    nowMs: EpochMs,
  ): Promise<void>
}

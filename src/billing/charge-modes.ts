/**
 * By which rule pack a book is billed, and since when: a history that is only ever appended to.
 *
 * Entries with one `fromMs` are requests for the same day; the last of them wins. Nothing is in
 * force before the first entry.
 */
import type { MeterName } from '../catalog/model.ts'
import type { EpochMs } from '../core/clock.ts'
import { addDays, type Interval } from '../core/period.ts'
import { canonicalJson } from '../rating/pack-hash.ts'
import type { RulePack } from '../rating/rule-pack.ts'
import type { BookKey } from './book.ts'

/** One entry of a book's history. */
export interface ChargeMode extends BookKey {
  readonly id: string
  /** Start of a local day of the account. */
  readonly fromMs: EpochMs
  readonly requestedMs: EpochMs
  /** SHA-256 of what the pack says. */
  readonly packHash: string
  /** Group name → resource ids, for rules of level `group`. */
  readonly groups: Readonly<Record<string, readonly string[]>>
  /** Who asked for it; `default`: nobody, the configuration said so. */
  readonly actor: string
}

/** Part of a book that is billed by one mode. */
export interface ChargeStretch extends Interval {
  readonly mode: ChargeMode
}

/**
 * Where an entry of a history stands: in force now or before, in force once, or never, since a
 * later request for the same day took its place.
 */
export type ModeState = 'past' | 'current' | 'coming' | 'overruled'

/** A book, and the start of the local day on which it begins. */
export interface BookStart extends BookKey {
  readonly fromMs: EpochMs
}

/** What the books ask of the modes. */
export interface ChargeModes {
  /** The history of one book, in the order in which it takes effect; the later of two wins. */
  history(accountId: string, meter: MeterName): Promise<readonly ChargeMode[]>
  /** Does what `history` does for every account that has one. */
  histories(meter: MeterName): Promise<ReadonlyMap<string, readonly ChargeMode[]>>
  /**
   * Makes sure that each book has a mode from its start on, and writes down what it decided: the
   * first mode there is reaches back to the start; without any, the configured default does.
   */
  ensure(books: readonly BookStart[]): Promise<void>
  /** A pack by its hash, kept in memory once read. Errors: `not_found`. */
  pack(hash: string): Promise<RulePack>
}

/** Finds the mode in force at an instant; undefined: the book had none yet. */
export function modeAt(history: readonly ChargeMode[], instantMs: EpochMs): ChargeMode | undefined {
  return inOrder(history.filter(({ fromMs }) => fromMs <= instantMs)).at(-1)
}

/** Tells where an entry of a history stands. */
export function stateOf(
  mode: ChargeMode,
  history: readonly ChargeMode[],
  nowMs: EpochMs,
): ModeState {
  if (modeAt(history, mode.fromMs)?.id !== mode.id) return 'overruled'
  if (mode.fromMs > nowMs) return 'coming'
  return modeAt(history, nowMs)?.id === mode.id ? 'current' : 'past'
}

/**
 * Tells when a switch that is asked for now takes effect.
 *
 * Time: the start of the next day of the zone, also when now is the start of one.
 */
export function nextSwitchMs(nowMs: EpochMs, zone: string): EpochMs {
  return addDays(nowMs, 1, zone)
}

/**
 * Cuts an interval where another mode takes over.
 *
 * Shape: ascending, without gaps; the part before the first mode is left out. A switch to what is
 * in force already cuts nothing, so that a month is ranked as one.
 */
export function chargeStretches(
  history: readonly ChargeMode[],
  { startMs, endMs }: Interval,
): ChargeStretch[] {
  const inTurn = inOrder(history)
  const stretches: ChargeStretch[] = []
  for (const [index, mode] of inTurn.entries()) {
    const fromMs = Math.max(mode.fromMs, startMs)
    const untilMs = Math.min(inTurn[index + 1]?.fromMs ?? endMs, endMs)
    // Of two for one day the first ends where it begins: it was never in force.
    if (untilMs <= fromMs) continue
    const last = stretches.at(-1)
    if (last !== undefined && isSame(last.mode, mode)) {
      stretches[stretches.length - 1] = { ...last, endMs: untilMs }
    } else stretches.push({ startMs: fromMs, endMs: untilMs, mode })
  }
  return stretches
}

/** Sorts entries so that of any two in force at an instant the later one wins. */
export function inOrder(history: readonly ChargeMode[]): ChargeMode[] {
  return history.toSorted(
    (a, b) => a.fromMs - b.fromMs || a.requestedMs - b.requestedMs || (a.id < b.id ? -1 : 1),
  )
}

/** Tells whether two modes bill alike. */
export function isSame(
  a: Pick<ChargeMode, 'packHash' | 'groups'>,
  b: Pick<ChargeMode, 'packHash' | 'groups'>,
): boolean {
  return a.packHash === b.packHash && canonicalJson(a.groups) === canonicalJson(b.groups)
}

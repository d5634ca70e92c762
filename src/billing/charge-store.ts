import type { MeterName } from '../catalog/model.ts'
import type { CatalogRows } from '../catalog/ports.ts'
import type { EpochMs } from '../core/clock.ts'
import type { BookKey } from './book.ts'
import type { ChargeMode } from './charge-modes.ts'

/** A rule pack as it is kept: the text that was written, under the hash of what it says. */
export interface KeptPack {
  readonly hash: string
  readonly name: string
  readonly version: string
  readonly content: string
  readonly recordedMs: EpochMs
}

/** Rows of packs and modes, seen from inside one transaction, or outside of any for reads. */
export interface ChargeRows {
  packByHash(hash: string): Promise<KeptPack | undefined>
  /** Every kept pack, or those of one name; in the order in which they were recorded. */
  packs(name?: string): Promise<readonly KeptPack[]>
  insertPack(pack: KeptPack): Promise<void>
  /** Modes of one book, in any order. */
  modes(book: BookKey): Promise<readonly ChargeMode[]>
  /** Modes of every book of a meter, in any order. */
  modesOfMeter(meter: MeterName): Promise<readonly ChargeMode[]>
  insertModes(modes: readonly ChargeMode[]): Promise<void>
  /** When the first resource or package of the book began; undefined: it has had none. */
  beganMs(book: BookKey): Promise<EpochMs | undefined>
}

/** What packs and modes need of the control store. */
export interface ChargeStore {
  readonly rows: ChargeRows
  /**
   * Runs the work in one transaction of the catalog: they run one after the other, also across
   * nodes. Inside, only the given rows may be used.
   */
  change<T>(
    work: (rows: { readonly catalog: CatalogRows; readonly charge: ChargeRows }) => Promise<T>,
  ): Promise<T>
}

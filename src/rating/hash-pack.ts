import { canonicalJson, hashContent } from './pack-hash.ts'
import type { RulePack } from './rule-pack.ts'

/** A field that packs have had since a release after the first, and what its absence means. */
export interface LaterField {
  /** Finds the sections of a pack that have it. */
  readonly sections: (pack: RulePack) => readonly object[]
  readonly name: string
  /** Its default, as a pack that was read holds it. */
  readonly fallback: unknown
}

/**
 * Every field that was added after packs were first kept, in the order in which they came.
 *
 * Records of books name packs by hash, for ever. A field that joins the schema joins this list in
 * the same change, so that a pack that says nothing of it keeps its hash; and the default of a
 * field never changes, whether it is in this list or older, so that the pack keeps its meaning.
 * `pack-defaults.test.ts` holds both.
 */
export const LATER_FIELDS: readonly LaterField[] = []

/**
 * Names a rule pack by the SHA-256 of what it says, in hex.
 *
 * Shape: defaults of the first release are part of what a pack says, so that writing one out
 * changes nothing; a later field is left out where it has its default, for the same reason.
 */
export function hashPack(pack: RulePack, later: readonly LaterField[] = LATER_FIELDS): string {
  if (later.length === 0) return hashContent(pack)
  const said = structuredClone(pack)
  // The newest first: a section that came with its own fields is at its default without them.
  for (const { sections, name, fallback } of later.toReversed()) {
    for (const section of sections(said)) {
      const value: unknown = Reflect.get(section, name)
      if (value === undefined || canonicalJson(value) !== canonicalJson(fallback)) continue
      Reflect.deleteProperty(section, name)
    }
  }
  return hashContent(said)
}

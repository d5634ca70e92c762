import type { Change } from '../catalog/change.ts'
import { recordChange } from '../catalog/change.ts'
import type { Clock, EpochMs } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { hashPack } from '../rating/hash-pack.ts'
import { parseRulePack, type RulePack } from '../rating/rule-pack.ts'
import type { ChargeRows, ChargeStore, KeptPack } from './charge-store.ts'

/** A rule pack as somebody wrote it. */
export interface PackText {
  /** What messages call it. */
  readonly file: string
  readonly text: string
}

/** A pack that accounts can be billed by. */
export interface KnownPack {
  readonly hash: string
  readonly content: string
  readonly pack: RulePack
  /** When it was added or first used; null: it comes with Weir and nobody has used it. */
  readonly recordedMs: EpochMs | null
  /** Comes with this release. */
  readonly isShipped: boolean
}

/** Knows rule packs: those that come with Weir, and those that were added. */
export interface PackRegistry {
  /** Reads a kept pack by its hash, once. Errors: `not_found`. */
  pack(hash: string): Promise<RulePack>
  /** Every pack, by name, then version. */
  list(): Promise<readonly KnownPack[]>
  /** Finds the highest version of a name. Errors: `not_found`, naming those that there are. */
  find(name: string, rows?: ChargeRows): Promise<KnownPack>
  /** Keeps a pack that is about to be used, for good. */
  keep(known: KnownPack, rows: ChargeRows): Promise<void>
  /**
   * Adds a pack in the actor's name; one that is kept already stays as it is.
   *
   * Errors: `parameter_invalid` for a wrong pack, naming file, line, column and field; `conflict`
   * (field `version`) when there is another content of that version, or a higher version.
   */
  add(
    written: PackText,
    actor: string,
  ): Promise<{ readonly known: KnownPack; readonly isNew: boolean }>
}

/** What the registry works with. */
export interface PackRegistryDeps {
  readonly store: ChargeStore
  /** What comes with Weir. */
  readonly shipped: readonly PackText[]
  readonly clock: Clock
}

/** Longest text of a pack. */
const TEXT_LENGTH_MAX = 1 << 20

/** Keeps packs by what they say. */
export function createPackRegistry({ store, shipped, clock }: PackRegistryDeps): PackRegistry {
  const offered = shipped.map((written) => readWritten(written, true))
  // Kept packs never change, and only administrators add any: all that were asked for are held.
  const read = new Map<string, RulePack>()
  const keep = async (known: KnownPack, rows: ChargeRows, recordedMs: EpochMs): Promise<void> => {
    if ((await rows.packByHash(known.hash)) !== undefined) return
    const { name, version } = known.pack
    const { hash, content } = known
    await rows.insertPack({ hash, name, version, content, recordedMs })
  }
  return {
    keep: (known, rows) => keep(known, rows, clock.nowMs()),
    pack: async (hash) => {
      const known = read.get(hash) ?? toKnown(await findKept(store.rows, hash), offered).pack
      read.set(hash, known)
      return known
    },
    list: async () => joinPacks(await store.rows.packs(), offered),
    find: async (name, rows = store.rows) => {
      const named = offered.filter(({ pack }) => pack.name === name)
      const found = joinPacks(await rows.packs(name), named).at(-1)
      if (found !== undefined) return found
      const names = joinPacks(await rows.packs(), offered).map(({ pack }) => pack.name)
      const known = [...new Set(names)].join(', ')
      throw new AppError('not_found', `No rule pack is called ${name}; there are ${known}.`)
    },
    add: (written, actor) =>
      store.change(async ({ catalog, charge }) => {
        const known = readWritten(written, false)
        const kept = await charge.packByHash(known.hash)
        if (kept !== undefined) return { known: toKnown(kept, offered), isNew: false }
        const { name } = known.pack
        refuseTakenVersion(known, joinPacks(await charge.packs(name), offered))
        const change = { rows: catalog, actor, nowMs: clock.nowMs() }
        await keep(known, charge, change.nowMs)
        await recordAdded(change, known)
        return { known: { ...known, recordedMs: change.nowMs }, isNew: true }
      }),
  }
}

/**
 * Compares versions number by number: 2 is below 10, and 1.2.0 below 1.10.0.
 *
 * Shape: numbers that are left out count as 0.
 */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [a.split('.'), b.split('.')]
  for (const index of [0, 1, 2]) {
    const difference = Number(left[index] ?? 0) - Number(right[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

function readWritten({ file, text }: PackText, isShipped: boolean): KnownPack {
  if (text.length > TEXT_LENGTH_MAX) {
    throw new AppError('too_large', `${file} is longer than ${TEXT_LENGTH_MAX} characters.`)
  }
  // Neither is kept by every database as it is, so the text could not be read back.
  if (text.includes('\0') || /\p{Surrogate}/u.test(text)) {
    throw new AppError('parameter_invalid', `${file} is no text in UTF-8.`, { field: 'pack' })
  }
  const pack = parseRulePack(text, file)
  return { hash: hashPack(pack), content: text, pack, recordedMs: null, isShipped }
}

async function findKept(rows: ChargeRows, hash: string): Promise<KeptPack> {
  const kept = await rows.packByHash(hash)
  if (kept !== undefined) return kept
  throw new AppError('not_found', `No rule pack with the hash ${hash} is kept.`)
}

/** Reads a kept text; that it means today what it meant when it was kept is a promise. */
function toKnown({ content, ...kept }: KeptPack, offered: readonly KnownPack[]): KnownPack {
  const pack = parseRulePack(content, `${kept.name} ${kept.version}`)
  const hash = hashPack(pack)
  if (hash !== kept.hash) {
    const cause = new Error(
      `rule pack ${kept.hash} (${pack.name} ${pack.version}) reads as ${hash}`,
    )
    const message =
      `The kept rule pack ${kept.name} ${kept.version} reads differently than when it was added. ` +
      'Run the release that wrote it, and report this.'
    throw new AppError('internal', message, { cause })
  }
  const isShipped = offered.some((each) => each.hash === hash)
  return { hash, content, pack, recordedMs: kept.recordedMs, isShipped }
}

/**
 * Puts kept packs and those that come with Weir together, in order.
 *
 * A shipped pack gives way to a kept one of the same name and version: that one is in use.
 */
function joinPacks(kept: readonly KeptPack[], offered: readonly KnownPack[]): KnownPack[] {
  const known = kept.map((each) => toKnown(each, offered))
  const isTaken = ({ pack }: KnownPack) =>
    known.some((each) => each.pack.name === pack.name && each.pack.version === pack.version)
  return [...known, ...offered.filter((each) => !isTaken(each))].sort(
    (a, b) =>
      (a.pack.name < b.pack.name ? -1 : a.pack.name > b.pack.name ? 1 : 0) ||
      compareVersions(a.pack.version, b.pack.version) ||
      (a.hash < b.hash ? -1 : 1),
  )
}

function refuseTakenVersion({ pack, hash }: KnownPack, there: readonly KnownPack[]): void {
  const last = there.filter((each) => each.pack.name === pack.name).at(-1)
  if (last === undefined || last.hash === hash) return
  if (compareVersions(pack.version, last.pack.version) > 0) return
  const message =
    `There is a ${pack.name} ${last.pack.version} that says something else; ` +
    `raise the version above ${last.pack.version}, or give the pack another name.`
  throw new AppError('conflict', message, { field: 'version' })
}

async function recordAdded(change: Change, { pack, hash }: KnownPack): Promise<void> {
  const { name, version } = pack
  await recordChange(change, 'rule-pack.add', `${name} ${version}`, {
    before: null,
    after: { name, version, hash },
  })
}

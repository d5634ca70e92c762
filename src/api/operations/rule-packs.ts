import type { KnownPack } from '../../billing/pack-registry.ts'
import { AppError } from '../../core/errors.ts'
import type { ChargeDeps } from './charge-modes.ts'

/** A rule pack as lists show it. */
export type ShownPack = KnownPack

/** Lists rule packs by name, then version; of one name when it is given. */
export async function listPacks(
  name: string | undefined,
  { packs }: Pick<ChargeDeps, 'packs'>,
): Promise<readonly ShownPack[]> {
  const all = await packs.list()
  return name === undefined ? all : all.filter(({ pack }) => pack.name === name)
}

/** Finds a pack by its hash, or the highest version of a name. Errors: `not_found`. */
export async function findPack(
  ref: string,
  { packs }: Pick<ChargeDeps, 'packs'>,
): Promise<ShownPack> {
  const all = await packs.list()
  const found =
    all.find(({ hash }) => hash === ref) ?? all.findLast(({ pack }) => pack.name === ref)
  if (found !== undefined) return found
  const names = [...new Set(all.map(({ pack }) => pack.name))].join(', ')
  throw new AppError('not_found', `No rule pack is called ${ref}; there are ${names}.`, {
    field: 'id',
  })
}

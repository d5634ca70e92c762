import { z } from 'zod'
import { BandwidthEntry, RANK_DEFAULT, TrafficEntry } from './pack-entries.ts'
import { mustBe } from './pack-fields.ts'
import { formatVolume } from './pack-quantities.ts'
import type { BandwidthMode, BandwidthRule, Rule, TrafficRule } from './rules.ts'

const RANKED_MODES: ReadonlySet<BandwidthMode> = new Set(['monthly-95', 'mean-of-daily-95'])

type Entry<S extends z.ZodType> = z.output<S>
type Complain = (path: readonly PropertyKey[], message: string) => void

/** A rule as a file has it, read as the rule it means. */
export const RuleEntry = z
  .discriminatedUnion('type', [TrafficEntry, BandwidthEntry], {
    error: ({ input }) =>
      typeof input === 'object' && input !== null
        ? mustBe('traffic or bandwidth')({ input: (input as { type?: unknown }).type })
        : 'must be a rule: a section with type, name and more',
  })
  .transform((entry, context): Rule => {
    let isSound = true
    const complain: Complain = (path, message) => {
      context.addIssue({ code: 'custom', path: [...path], message })
      isSound = false
    }
    const rule =
      entry.type === 'traffic' ? toTrafficRule(entry, complain) : toBandwidthRule(entry, complain)
    return isSound ? rule : z.NEVER
  })

function toTrafficRule(entry: Entry<typeof TrafficEntry>, complain: Complain): TrafficRule {
  const { freeBelowPerDay, unit, price, tiers, ...rest } = entry
  if (price !== undefined && tiers !== undefined) {
    complain(['price'], 'cannot stand beside tiers; keep one of the two')
  }
  if (price === undefined && tiers === undefined) {
    complain(['price'], 'is missing; write a price such as "0.135", or tiers')
  }
  for (const [index, { upTo }] of (tiers ?? []).entries())
    checkBound(tiers ?? [], index, upTo, complain)
  return {
    ...rest,
    scope: present(entry.scope),
    freeBelowBytesPerDay: freeBelowPerDay,
    radix: unit === 'GB' ? 1000 : 1024,
    tiers: (tiers ?? [{ upTo: undefined, price: price ?? 0n }]).map((tier) => ({
      upToBytes: tier.upTo ?? null,
      price: tier.price,
    })),
  }
}

function checkBound(
  tiers: NonNullable<Entry<typeof TrafficEntry>['tiers']>,
  index: number,
  upTo: bigint | undefined,
  complain: Complain,
): void {
  const isLast = index === tiers.length - 1
  const path = ['tiers', index, 'upTo']
  if (isLast && upTo !== undefined) {
    complain(path, 'must be left out in the last tier, so that every byte has a price')
  }
  if (isLast || upTo === undefined) {
    if (!isLast) complain(path, 'is missing; only the last tier is without end')
    return
  }
  const begin = index === 0 ? 0n : (tiers[index - 1]?.upTo ?? 0n)
  if (upTo <= begin) complain(path, `must be above ${formatVolume(begin)}, where the tier begins`)
}

function toBandwidthRule(entry: Entry<typeof BandwidthEntry>, complain: Complain): BandwidthRule {
  const { unit, commit, overagePrice, validDay, rank, proRata, ...rest } = entry
  if (rank !== undefined && !RANKED_MODES.has(entry.mode)) {
    complain(['rank'], `means nothing with mode ${entry.mode}, which ranks no slots; leave it out`)
  }
  if (overagePrice !== undefined && commit === 0n) {
    complain(
      ['overagePrice'],
      'needs a commit; without one, price alone says what everything costs',
    )
  }
  if (validDay !== 'all' && proRata === undefined) {
    complain(['proRata'], 'is missing; with validDay it must be said: none, or valid-days')
  }
  return {
    ...rest,
    scope: present(entry.scope),
    validDay: validDay === 'all' ? validDay : { aboveBytes: validDay.above },
    rank: rank ?? RANK_DEFAULT,
    radix: unit === 'Mbps' ? 1000 : 1024,
    commitBps: commit,
    overagePrice: overagePrice ?? null,
    proRata: proRata ?? 'none',
  }
}

/** Drops what is undefined, so that a list which is absent is no key at all. */
function present<T extends object>(scope: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(scope).filter(([, list]) => list !== undefined)
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> }
}

/** Tells whether a mode drops a share of the slots; only then does `rank` mean anything. */
export function isRankedMode(mode: BandwidthMode): boolean {
  return RANKED_MODES.has(mode)
}

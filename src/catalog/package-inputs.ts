/**
 * What changes of packages take. Fields that contradict each other are found by
 * `findPackageProblems`, which the writer and the catalog file share.
 */

import { z } from 'zod'
import { parseWindow, windowsOverlap, type DayWindow } from '../core/day-window.ts'
import type { Problem } from '../core/errors.ts'
import { AmountInput, BytesInput, InstantInput, RefInput, idInput } from './input.ts'
import { redundantMessage, redundantRegion } from './area-scope.ts'
import { AccountRef, AreaScopeInput, KindInput, MeterInput, ResetPolicyInput } from './inputs.ts'
import type { AreaScope, ContentKind, MeterName } from './model.ts'

/** Longest list of projects or resources of one package. */
const NAMED_MAX = 1000
/** A hundred years: what lasts longer is meant to last for ever. */
const MONTHS_MAX = 1200
const WINDOWS_MAX = 24

const Window = z
  .string()
  .transform((text, context): DayWindow => {
    const window = parseWindow(text)
    if (window !== undefined) return window
    const message = `must be a part of the day such as "00:00-08:00", not ${JSON.stringify(text)}`
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  })
  .meta({ override: { type: 'string', examples: ['00:00-08:00'] } })

const isDistinct = (list: readonly unknown[]): boolean => new Set(list).size === list.length
const TWICE = 'names something twice'

const listOf = <S extends z.ZodType>(item: S) =>
  z.array(item).min(1, 'must name something; null means any').refine(isDistinct, TWICE)

/** What a package cost: both fields, or no such section. */
export const PaidInput = z
  .strictObject({
    amount: AmountInput,
    currency: z.string().regex(/^[A-Z]{3}$/, 'must be a currency code such as CNY'),
  })
  .describe('What the buyer paid; a refund gives it back.')

export const CreateTrafficPackage = z.strictObject({
  id: idInput('pkg'),
  account: AccountRef,
  meter: MeterInput.default('cdn'),
  area: AreaScopeInput.optional().describe('cdn: one area; for several or any say areas.'),
  areas: listOf(AreaScopeInput)
    .nullable()
    .optional()
    .describe('cdn: the areas and parts of abroad; abroad is all of it; null: any.'),
  kind: KindInput.optional().describe('cdn: one kind of content; static when none is named.'),
  kinds: listOf(KindInput).nullable().optional().describe('cdn: the kinds; null: any.'),
  projects: listOf(RefInput)
    .max(NAMED_MAX)
    .nullable()
    .default(null)
    .describe('Ids or names of the only projects that it pays for; null: any.'),
  resources: listOf(RefInput)
    .max(NAMED_MAX)
    .nullable()
    .default(null)
    .describe('Ids or names of the only resources that it pays for; null: any.'),
  windows: z
    .array(Window)
    .max(WINDOWS_MAX)
    .default([])
    .describe('Local times of day at which it pays; none: at any time.'),
  size: BytesInput,
  purchasedAt: InstantInput.optional().describe('Default now.'),
  startAt: InstantInput.optional().describe('Default the purchase.'),
  endAt: InstantInput.nullable().default(null).describe('End, exclusive; null: never.'),
  firstUseMonths: z
    .int()
    .min(1)
    .max(MONTHS_MAX)
    .nullable()
    .default(null)
    .describe('Calendar months that it lasts from its first use, instead of endAt.'),
  paid: PaidInput.nullable().default(null),
  offer: z
    .string()
    .min(1)
    .max(60)
    .nullable()
    .default(null)
    .describe('Name of the offer that it was bought as.'),
})
export const UpdateTrafficPackage = z.strictObject({ endAt: InstantInput.nullable() })

export const CreateExclusivePackage = z.strictObject({
  id: idInput('utp'),
  resource: RefInput.describe('Id or address of the elastic IP.'),
  size: BytesInput,
  resetPolicy: ResetPolicyInput,
  createdAt: InstantInput.optional().describe('Anchor of all resets; default now.'),
})

/** The fields of a package that may contradict each other. */
export interface PackageFields {
  readonly meter: MeterName
  readonly area?: AreaScope | undefined
  readonly areas?: readonly AreaScope[] | null | undefined
  readonly kind?: ContentKind | undefined
  readonly kinds?: readonly ContentKind[] | null | undefined
  readonly windows: readonly DayWindow[]
  readonly endAt?: number | null | undefined
  readonly firstUseMonths: number | null
}

/** Finds fields of a package that contradict each other, each with what to do. */
export function findPackageProblems(fields: PackageFields): Problem[] {
  return [...scopeProblems(fields), ...windowProblems(fields.windows), ...lifeProblems(fields)]
}

function scopeProblems(fields: PackageFields): Problem[] {
  const { meter } = fields
  const problems: Problem[] = []
  for (const [one, many] of [
    ['area', 'areas'],
    ['kind', 'kinds'],
  ] as const) {
    const given = [one, many].filter((name) => fields[name] !== undefined && fields[name] !== null)
    const isSaid = fields[one] !== undefined || fields[many] !== undefined
    if (meter !== 'cdn') {
      const message = `tells only cdn traffic apart; leave it out for ${meter}`
      problems.push(...given.map((field) => ({ field, message })))
    } else if (fields[one] !== undefined && fields[many] !== undefined) {
      problems.push({ field: many, message: `cannot stand beside ${one}; keep one of the two` })
    } else if (one === 'area' && !isSaid) {
      const message = 'is required for cdn: cn, abroad, a part of it, or areas: null for any'
      problems.push({ field: one, message })
    }
  }
  const redundant = redundantRegion(fields.areas ?? [])
  if (redundant === undefined) return problems
  return [...problems, { field: 'areas', message: redundantMessage(redundant) }]
}

function windowProblems(windows: readonly DayWindow[]): Problem[] {
  return windows.flatMap((window, index) => {
    const earlier = windows.slice(0, index).findIndex((other) => windowsOverlap(window, other))
    if (earlier === -1) return []
    return [{ field: `windows[${index}]`, message: `overlaps windows[${earlier}]; join the two` }]
  })
}

function lifeProblems({ endAt, firstUseMonths }: PackageFields): Problem[] {
  if (firstUseMonths === null || endAt === null || endAt === undefined) return []
  return [{ field: 'firstUseMonths', message: 'cannot stand beside endAt; keep one of the two' }]
}

/** What cdn traffic a package pays for, however it was said; any of another meter. */
export function contentOf(fields: PackageFields): {
  readonly areas: readonly AreaScope[] | null
  readonly kinds: readonly ContentKind[] | null
} {
  const { meter, area, areas, kind, kinds } = fields
  if (meter !== 'cdn') return { areas: null, kinds: null }
  return {
    areas: area === undefined ? sorted(areas ?? null) : [area],
    // Absent is not any: packages were always static unless they said otherwise.
    kinds: kind === undefined && kinds !== undefined ? sorted(kinds) : [kind ?? 'static'],
  }
}

function sorted<T extends string>(list: readonly T[] | null): readonly T[] | null {
  return list === null ? null : list.toSorted()
}

import { z } from 'zod'

/** A JSON schema, as far as names of keys are found in it. */
export interface KeySchema {
  readonly type?: string
  readonly properties?: Readonly<Record<string, KeySchema>>
  readonly items?: KeySchema
}

/** Letters that two names may differ in for one to be a slip of the other. */
const SLIPS_MAX = 2

/** Writes every problem of a configuration, and which key may be meant by one that is none. */
export function describeProblems(error: z.ZodError, schema: KeySchema): string {
  const issues = error.issues.map((issue) => {
    if (issue.code !== 'unrecognized_keys') return issue
    const known = keysAt(schema, issue.path)
    const hints = issue.keys.flatMap((key) => nearest(key, known) ?? [])
    const meant = hints.map((key) => `"${key}"`).join(', ')
    return meant === '' ? issue : { ...issue, message: `${issue.message}; meant is ${meant}?` }
  })
  return z.prettifyError({ issues })
}

function keysAt(schema: KeySchema, path: readonly PropertyKey[]): readonly string[] {
  let at: KeySchema | undefined = schema
  for (const key of path) at = typeof key === 'number' ? at?.items : at?.properties?.[String(key)]
  return Object.keys(at?.properties ?? {})
}

/** The name that is written nearly like this one; undefined when none is. */
export function nearest(name: string, known: readonly string[]): string | undefined {
  const wanted = name.toLowerCase()
  const found = known
    .map((each) => ({ each, slips: countSlips(wanted, each.toLowerCase()) }))
    .filter(({ each, slips }) => slips <= SLIPS_MAX && slips < each.length / 2)
    .sort((one, other) => one.slips - other.slips)
  return found[0]?.each
}

/** Letters to add, drop, replace or swap with their neighbour to make one name of the other. */
function countSlips(one: string, other: string): number {
  const rows: number[][] = [Array.from({ length: other.length + 1 }, (_, index) => index)]
  for (let i = 1; i <= one.length; i += 1) {
    const row = [i]
    for (let j = 1; j <= other.length; j += 1) {
      const isSame = one[i - 1] === other[j - 1]
      const isSwapped = one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1]
      row.push(
        Math.min(
          (row[j - 1] ?? 0) + 1,
          (rows[i - 1]?.[j] ?? 0) + 1,
          (rows[i - 1]?.[j - 1] ?? 0) + (isSame ? 0 : 1),
          isSwapped ? (rows[i - 2]?.[j - 2] ?? Number.POSITIVE_INFINITY) + 1 : one.length + j,
        ),
      )
    }
    rows.push(row)
  }
  return rows.at(-1)?.at(-1) ?? 0
}

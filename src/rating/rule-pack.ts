import { z } from 'zod'
import { toProblems } from '../catalog/input.ts'
import type { MeterName } from '../catalog/model.ts'
import { AppError } from '../core/errors.ts'
import { METER_NAMES } from '../meters/meter.ts'
import { Name } from './pack-entries.ts'
import { documented, mustBe, section, setOf } from './pack-fields.ts'
import { PackagesEntry, type PackagePolicy } from './pack-packages.ts'
import { RuleEntry } from './pack-rules.ts'
import { type FieldPath, type PlacedProblem, readPackText } from './pack-text.ts'
import { findOverlaps } from './rule-overlaps.ts'
import type { Rule } from './rules.ts'

/** How usage becomes money: rules, and what is said once for all of them. */
export interface RulePack {
  readonly name: string
  /** An integer or a semantic version, as text. */
  readonly version: string
  readonly description: string
  /** ISO 4217 code of all prices. */
  readonly currency: string
  /** Where the rules were published; null: nowhere. */
  readonly source: string | null
  /** What the rules price; usage of other meters is none of theirs. */
  readonly meters: readonly MeterName[]
  readonly rules: readonly Rule[]
  readonly packages: PackagePolicy
}

/** Each rule is compared with each other one. */
const RULES_MAX = 1000
/** Those of the first release; one that comes later is priced by packs that name it. */
const METERS_DEFAULT: readonly MeterName[] = ['cdn', 'eip', 'mna']

const mustBeVersion = mustBe('a whole number such as 2, or a version such as 1.2.0')

const Version = z
  .union(
    [
      z.int().positive({ error: mustBeVersion }),
      z.string().regex(/^(?:[1-9]\d{0,8}|\d{1,5}\.\d{1,5}\.\d{1,5})$/, { error: mustBeVersion }),
    ],
    { error: mustBeVersion },
  )
  .transform(String)

const line = (expected: string) =>
  z
    .string({ error: mustBe(expected) })
    .trim()
    .min(1, `must be ${expected}`)
    .max(500, 'must have at most 500 characters')

/** A pack as a file has it. */
export const PackEntry = section(
  {
    name: documented(Name, {
      value: 'text',
      description: 'What the pack is called; its file, too.',
    }),
    version: documented(Version, {
      value: 'integer or `1.2.0`',
      description: 'Raise it with every change; bills name it beside the hash of the content.',
    }),
    description: documented(line('a line that says what the pack is for'), {
      value: 'text',
      description: 'What the pack is for.',
    }),
    currency: documented(
      z.string({ error: mustBe('a currency code such as CNY') }).regex(/^[A-Z]{3}$/, {
        error: 'must be a currency code of three capital letters, such as CNY',
      }),
      { value: 'ISO 4217 code', description: 'Of every price of the pack.' },
    ),
    source: documented(line('where the rules were published').optional(), {
      value: 'text',
      description: 'Where the rules were published.',
      fallback: 'none',
    }),
    meters: documented(setOf(METER_NAMES).prefault([...METERS_DEFAULT]), {
      description: 'What is priced; usage of other meters is none of the pack’s.',
      settles: 'May a pack for addresses price CDN traffic? Only when it says so.',
    }),
    rules: documented(
      z
        .array(RuleEntry, { error: mustBe('a list of rules') })
        .min(1, 'needs at least one rule')
        .max(RULES_MAX, `must have at most ${RULES_MAX} rules`),
      { value: 'list of rules', description: 'At most 1000; see below.' },
    ),
    packages: documented(PackagesEntry.prefault({}), {
      value: 'section',
      description: 'How prepaid packages are used up; see below.',
    }),
  },
  'a rule pack: name, version, description, currency and rules',
)

/** What came of reading a pack: the pack, or all that is wrong with it, in the file's order. */
export type CheckedPack =
  | { readonly pack: RulePack; readonly problems: readonly [] }
  | { readonly pack: null; readonly problems: readonly PlacedProblem[] }

/**
 * Reads a rule pack and finds every problem with its line, column and field.
 *
 * Errors: none; problems are returned.
 */
export function checkRulePack(text: string): CheckedPack {
  const { value, problems, place } = readPackText(text)
  if (problems.length > 0) return { pack: null, problems }
  const parsed = PackEntry.safeParse(value)
  const found = [...(parsed.success ? [] : parsed.error.issues.flatMap(toFound)), ...crossed(value)]
  if (parsed.success && found.length === 0) return { pack: toPack(parsed.data), problems: [] }
  const placed = found.map(({ field, message, ...path }) => ({ ...place(path), field, message }))
  return {
    pack: null,
    problems: placed.sort((a, b) => a.line - b.line || a.column - b.column),
  }
}

/**
 * Reads a rule pack.
 *
 * Errors: `parameter_invalid` with every problem as `file:line:column: field: message`.
 */
export function parseRulePack(text: string, file: string): RulePack {
  const { pack, problems } = checkRulePack(text)
  if (pack !== null) return pack
  const lines = problems.map((problem) => formatProblem(file, problem))
  throw new AppError('parameter_invalid', lines.join('\n'), { problems })
}

/** Writes a problem as `file:line:column: field: message`. */
export function formatProblem(file: string, problem: PlacedProblem): string {
  const { line: atLine, column, field, message } = problem
  return `${file}:${atLine}:${column}: ${field === '' ? '' : `${field}: `}${message}`
}

function toPack({ source, ...rest }: z.output<typeof PackEntry>): RulePack {
  return { ...rest, source: source ?? null }
}

type Found = FieldPath & { readonly field: string; readonly message: string }

function toFound(issue: z.core.$ZodIssue): Found[] {
  const fields = toProblems(issue).map(({ field }) => field)
  if (issue.code !== 'unrecognized_keys') {
    return fields.map((field) => ({ field, path: issue.path, message: issue.message }))
  }
  return issue.keys.map((key, index) => ({
    field: fields[index] ?? key,
    path: [...issue.path, key],
    atKey: true,
    message: issue.message,
  }))
}

/** Finds what two rules have wrong together, also while other parts of the pack are wrong. */
function crossed(value: unknown): Found[] {
  const entries: unknown = (value as { rules?: unknown } | null)?.rules
  if (!Array.isArray(entries) || entries.length > RULES_MAX) return []
  const rules = entries.map((entry) => RuleEntry.safeParse(entry).data)
  const names = rules.map((rule) => rule?.name)
  const repeats = names.flatMap((name, index): Found[] => {
    const first = names.indexOf(name)
    if (name === undefined || first === index) return []
    const message = `repeats the name of rules[${first}]; bill lines could not be told apart`
    return [{ path: ['rules', index, 'name'], field: `rules[${index}].name`, message }]
  })
  const overlaps = findOverlaps(rules).map(({ earlier, later }): Found => {
    const [a, b] = [rules[earlier], rules[later]]
    const apart = a?.type === 'traffic' ? 'scopes or windows' : 'scopes, modes or directions'
    const message =
      `"${b?.name}" overlaps "${a?.name}" (rules[${earlier}]): both would price the same usage ` +
      `per ${a?.level}; give them ${apart} that have nothing in common`
    return { path: ['rules', later], field: `rules[${later}]`, message }
  })
  return [...repeats, ...overlaps]
}

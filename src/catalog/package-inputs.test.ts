import { describe, expect, test } from 'vitest'
import { AppError } from '../core/errors.ts'
import { parseInput } from './input.ts'
import { contentOf, CreateTrafficPackage, findPackageProblems } from './package-inputs.ts'

const BASE = { account: 'acme', area: 'cn', size: '10 TB' }

/** `field: message` of everything that is wrong with a package, by its form or its fields. */
function problemsOf(fields: object, base: object = BASE): string[] {
  try {
    const parsed = parseInput(CreateTrafficPackage, { ...base, ...fields })
    return findPackageProblems(parsed).map(({ field, message }) => `${field}: ${message}`)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return error.problems.map(({ field, message }) => `${field}: ${message}`)
  }
}

describe('fields of a package that make no sense', () => {
  test.each<[string, object, string]>([
    [
      'a price that was written as a float',
      { paid: { amount: 99.9, currency: 'CNY' } },
      'paid.amount: is a number, which may have lost digits; put it in quotes: "99.9"',
    ],
    [
      'a price below 0',
      { paid: { amount: '-1', currency: 'CNY' } },
      'paid.amount: must be an amount of 0 or more with at most nine decimals, such as "99.90"',
    ],
    ['a price without currency', { paid: { amount: '1' } }, 'paid.currency: is required'],
    [
      'a currency that is none',
      { paid: { amount: '1', currency: 'yuan' } },
      'paid.currency: must be a currency code such as CNY',
    ],
    [
      'a window that is none',
      { windows: ['08:00-08:00'] },
      'windows[0]: must be a part of the day such as "00:00-08:00", not "08:00-08:00"',
    ],
    [
      'windows that overlap around midnight',
      { windows: ['00:00-08:00', '12:00-13:00', '23:00-00:30'] },
      'windows[2]: overlaps windows[0]; join the two',
    ],
    [
      'one area beside several',
      { areas: ['cn', 'abroad'] },
      'areas: cannot stand beside area; keep one of the two',
    ],
    [
      'a region beside abroad, which has it',
      { area: undefined, areas: ['apac1', 'abroad'] },
      'areas: names apac1 beside abroad, which takes it in already; keep one of the two',
    ],
    [
      'what no region is known of beside abroad, which has it',
      { area: undefined, areas: ['abroad-other', 'abroad'] },
      'areas: names abroad-other beside abroad, which takes it in already; keep one of the two',
    ],
    [
      'one kind beside any',
      { kind: 'static', kinds: null },
      'kinds: cannot stand beside kind; keep one of the two',
    ],
    [
      'an area of addresses',
      { meter: 'eip' },
      'area: tells only cdn traffic apart; leave it out for eip',
    ],
    [
      'two ends',
      { endAt: '2027-01-01T00:00:00Z', firstUseMonths: 12 },
      'firstUseMonths: cannot stand beside endAt; keep one of the two',
    ],
    ['no months', { firstUseMonths: 0 }, 'firstUseMonths: must be at least 1'],
    ['a list of nothing', { resources: [] }, 'resources: must name something; null means any'],
    ['a name twice', { projects: ['a', 'a'] }, 'projects: names something twice'],
  ])('%s', (_title, fields, problem) => {
    expect(problemsOf(fields)).toEqual([problem])
  })

  test('cdn needs an area, or to be told that any will do', () => {
    const bare = { account: 'acme', size: '10 TB' }
    expect(problemsOf({}, bare)).toEqual([
      'area: is required for cdn: cn, abroad, a part of it, or areas: null for any',
    ])
    expect(problemsOf({ areas: null }, bare)).toEqual([])
    expect(problemsOf({ meter: 'mna' }, bare)).toEqual([])
  })
})

describe('what cdn traffic a package pays for', () => {
  test.each<[string, object, string]>([
    ['one area, and static as ever', { area: 'cn' }, '["cn"] ["static"]'],
    ['one region', { area: 'eu-na' }, '["eu-na"] ["static"]'],
    ['regions and cn', { areas: ['latam', 'cn'] }, '["cn","latam"] ["static"]'],
    ['one kind', { area: 'cn', kind: 'dynamic' }, '["cn"] ["dynamic"]'],
    ['both areas, in one order', { areas: ['cn', 'abroad'] }, '["abroad","cn"] ["static"]'],
    ['any of both', { areas: null, kinds: null }, 'null null'],
  ])('%s', (_title, said, expected) => {
    const fields = { meter: 'cdn', windows: [], firstUseMonths: null, ...said } as const
    const { areas, kinds } = contentOf(fields)
    expect(`${JSON.stringify(areas)} ${JSON.stringify(kinds)}`).toBe(expected)
  })

  test('packages of other meters tell nothing apart', () => {
    const fields = { meter: 'mna', windows: [], firstUseMonths: null } as const
    expect(contentOf(fields)).toEqual({ areas: null, kinds: null })
  })
})

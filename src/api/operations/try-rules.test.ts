import { expect, test } from 'vitest'
import type { BooksTrafficQuery } from '../../billing/books-usage.ts'
import { AppError } from '../../core/errors.ts'
import { tryRules } from './try-rules.ts'

const PACK =
  'name: flat\nversion: 1\ndescription: d\ncurrency: CNY\nmeters: [cdn]\nrules:\n' +
  '  - { type: traffic, name: all, unit: GB, price: "2" }\n'
const ZONES: Record<string, string> = { sh: 'Asia/Shanghai', ny: 'America/New_York' }

/** One GB at noon UTC of 2026-11-20, whoever asks. */
async function run(request: object) {
  const asked: BooksTrafficQuery[] = []
  const nothing = async () => new Map<string, never[]>()
  const answer = await tryRules(
    { pack: PACK, ...request },
    {
      payer: async (id) => {
        const zone = ZONES[id]
        if (zone === undefined) throw new AppError('not_found', `There is no account ${id}.`)
        return { id, zone }
      },
      resource: async ({ accountId, meter }, ref) =>
        accountId === 'sh' && meter === 'cdn' && ['ucdn-1', 'a.example.com'].includes(ref)
          ? { id: 'ucdn-1' }
          : undefined,
      usage: {
        slots: nothing,
        rankedSlots: nothing,
        traffic: async (query) => {
          asked.push(query)
          const usage = {
            startMs: query.cutsMs[0] ?? 0,
            resourceId: 'ucdn-1',
            projectId: 'org-1',
            area: 'cn' as const,
            billingRegion: 'cn' as const,
            province: '',
            kind: 'static' as const,
            direction: 'out' as const,
            bytes: 10n ** 9n,
          }
          return new Map(query.accountIds.map((id) => [id, [usage]]))
        },
      },
    },
  )
  return { answer, asked }
}

test.each([
  // 00:00 in Shanghai is 16:00 UTC of the day before, in New York 05:00 (04:00 until 1 November).
  ['sh', '2026-11-20', '2026-11-19T16:00:00.000Z', '2026-11-20T16:00:00.000Z'],
  ['ny', '2026-11-20', '2026-11-20T05:00:00.000Z', '2026-11-21T05:00:00.000Z'],
  ['sh', '2026-11', '2026-10-31T16:00:00.000Z', '2026-11-30T16:00:00.000Z'],
  ['ny', '2026-11', '2026-11-01T04:00:00.000Z', '2026-12-01T05:00:00.000Z'],
])('days and months are those of the account: %s, %s', async (account, period, start, end) => {
  const { answer, asked } = await run({ account, period })
  expect(answer).toMatchObject({ zone: ZONES[account], start, end, currency: 'CNY', total: '2.00' })
  expect(asked.map(({ cutsMs, endMs }) => [cutsMs[0], endMs])).toEqual([
    [Date.parse(start), Date.parse(end)],
  ])
})

test('instants are taken as they are, and lines are cut in the account’s zone all the same', async () => {
  const [start, end] = ['2026-11-20T04:00:00Z', '2026-11-20T06:00:00Z']
  const { answer } = await run({ account: 'ny', start, end })
  expect(answer).toMatchObject({ zone: 'America/New_York', start: '2026-11-20T04:00:00.000Z' })
})

test.each([
  ['neither period nor instants', {}, 'Send either period, or start and end.'],
  ['both', { period: '2026-11', start: 0, end: 300 }, 'Send either period, or start and end.'],
  ['a start alone', { start: 0 }, 'Send either period, or start and end.'],
  [
    'a day that there is not',
    { period: '2026-11-31' },
    'Name the period as 2026-11 or 2026-11-20.',
  ],
  ['an end before the start', { start: 600, end: 300 }, 'end must be after start'],
  ['a start between slots', { start: 1, end: 300 }, 'must lie on five minutes'],
  ['an unknown account', { account: 'no', period: '2026-11' }, 'There is no account no.'],
  [
    'a rule about groups, without any',
    { period: '2026-11', pack: PACK.replace('name: all', 'name: all, level: group') },
    'The rule all of flat prices groups; name the resources of each.',
  ],
  [
    'a group with a resource that is not there',
    { period: '2026-11', groups: { a: ['ucdn-1', 'ucdn-9'] } },
    'The account has no cdn resource ucdn-9',
  ],
  [
    'a group with a resource of somebody else',
    { account: 'ny', period: '2026-11', groups: { a: ['ucdn-1'] } },
    'The account has no cdn resource ucdn-1',
  ],
  [
    'a resource in two groups',
    { period: '2026-11', groups: { a: ['ucdn-1'], b: ['ucdn-1'] } },
    'ucdn-1 is in the groups twice',
  ],
  [
    'a resource in two groups, once by its name',
    { period: '2026-11', groups: { a: ['ucdn-1'], b: ['a.example.com'] } },
    'a.example.com is in the groups twice',
  ],
  ['a zone, which is the account’s', { period: '2026-11', zone: 'UTC' }, 'zone: is not known here'],
])('%s is refused', async (_what, request, message) => {
  await expect(run({ account: 'sh', ...request })).rejects.toThrow(message)
})

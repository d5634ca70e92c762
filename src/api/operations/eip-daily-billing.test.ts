import { expect, test } from 'vitest'
import { fakeDeps, type FakeWorld } from '../../../test/support/fakes.ts'
import { callerOf, standardWorld, TODAY_MS } from '../../../test/support/world.ts'
import { DAY_MS, HOUR_MS } from '../../core/period.ts'
import { eipDailyBilling } from './eip-daily-billing.ts'

const GB = 1024 ** 3

/** Outbound GB of eip-a, so many hours from the start of today. */
function moved(
  world: FakeWorld,
  hours: number,
  gigabytes: number,
  direction: 'in' | 'out' = 'out',
) {
  world.usage.push({
    meter: 'eip',
    accountId: 'acc-a',
    resourceId: 'eip-a',
    atMs: TODAY_MS + hours * HOUR_MS,
    bytes: BigInt(Math.round(gigabytes * GB)),
    direction,
  })
}

/** Rows as `<day>:<GB><* when charged>`, days relative to today, then the total. */
async function bill(
  world: FakeWorld,
  range: readonly [fromHours: number, toHours: number] = [-48, 24],
  who = { account: 'acc-a', project: 'org-a' },
) {
  const billing = await eipDailyBilling(
    callerOf(world, who.account),
    {
      projectId: who.project,
      region: 'cn-bj2',
      eip: 'eip-a',
      startMs: TODAY_MS + range[0] * HOUR_MS,
      endMs: TODAY_MS + range[1] * HOUR_MS,
    },
    fakeDeps(world),
  )
  const rows = billing.days.map(
    (day) => `${(day.startMs - TODAY_MS) / DAY_MS}:${day.quantityGb}${day.isCharged ? '*' : ''}`,
  )
  return `${rows.join(' ')} = ${billing.totalGb}`
}

test('whole GB per local day, rounded down; under 1 GB is 0; inbound is free', async () => {
  const world = standardWorld()
  moved(world, -48, 2.999)
  moved(world, -24.001, 0.5)
  moved(world, -24, 0.999)
  moved(world, 0, 5)
  moved(world, 1, 70, 'in')
  expect(await bill(world)).toBe('-2:3 -1:0 0:5 = 8')
})

test('every day that the range touches has a row, days to come have none', async () => {
  const world = standardWorld()
  expect(await bill(world, [-25, -23])).toBe('-2:0 -1:0 = 0')
  expect(await bill(world, [-24, 0])).toBe('-1:0 = 0')
  expect(await bill(world, [-1, 72])).toBe('-1:0 0:0 = 0')
  expect(await bill(world, [48, 72])).toBe(' = 0')
})

test('closed days come from the books as they were frozen, open ones from usage', async () => {
  const world = standardWorld()
  const day = (days: number, quantityGb: bigint) => {
    const startMs = TODAY_MS + days * DAY_MS
    world.closedDays.push({
      resourceId: 'eip-a',
      startMs,
      endMs: startMs + DAY_MS,
      quantityGb,
    })
  }
  day(-2, 9n)
  day(-1, 4n)
  moved(world, -48, 100)
  moved(world, 0, 2)
  expect(await bill(world)).toBe('-2:9* -1:4* 0:2 = 15')
})

test('a day that begins in another pay mode than Traffic is 0', async () => {
  const world = standardWorld()
  const version = { resourceId: 'eip-a', accountId: 'acc-a', projectId: 'org-a' } as const
  world.versions.push(
    { ...version, fromMs: TODAY_MS - 30 * HOUR_MS, payMode: 'Bandwidth' },
    { ...version, fromMs: TODAY_MS - 2 * HOUR_MS, payMode: 'Traffic' },
  )
  moved(world, -47, 3)
  moved(world, -29, 3)
  moved(world, -1, 4)
  moved(world, 0, 5)
  // Day −2 began as Traffic and counts whole, day −1 began as Bandwidth and is 0.
  expect(await bill(world)).toBe('-2:6 -1:0 0:5 = 11')
})

test('what moved under another project or account is not shown', async () => {
  const world = standardWorld()
  const version = { resourceId: 'eip-a', payMode: 'Traffic' } as const
  world.versions.push(
    { ...version, fromMs: TODAY_MS - 36 * HOUR_MS, accountId: 'acc-b', projectId: 'org-b' },
    { ...version, fromMs: TODAY_MS - 12 * HOUR_MS, accountId: 'acc-a', projectId: 'org-a2' },
    { ...version, fromMs: TODAY_MS + 2 * HOUR_MS, accountId: 'acc-a', projectId: 'org-a' },
  )
  moved(world, -40, 1)
  moved(world, -20, 10)
  moved(world, -2, 100)
  moved(world, 1, 200)
  moved(world, 3, 5)
  expect(await bill(world)).toBe('-2:1 -1:0 0:5 = 6')
  const other = { account: 'acc-a', project: 'org-a2' }
  expect(await bill(world, [-48, 24], other)).toBe('-2:0 -1:100 0:200 = 300')
})

test('before its first version an address belonged to nobody', async () => {
  const world = standardWorld()
  const [first] = world.versions.splice(
    world.versions.findIndex(({ resourceId }) => resourceId === 'eip-a'),
    1,
  )
  if (first !== undefined) world.versions.push({ ...first, fromMs: TODAY_MS - 12 * HOUR_MS })
  moved(world, -20, 7)
  moved(world, -10, 2)
  expect(await bill(world)).toBe('-2:0 -1:2 0:0 = 2')
})

import { expect, test } from 'vitest'
import { CUSTOMER } from '../../test/support/bills.ts'
import { fakeBooksUsage } from '../../test/support/explained-book.ts'
import { day, packageOf, packOf, usageAt, ZONE } from '../../test/support/forecast-world.ts'
import { type Askers, readTraffic } from './stretch-usage.ts'

const INTERVAL = { startMs: day('2026-10-01'), endMs: day('2026-10-02') }
const USAGE = ['ucdn-1', 'ucdn-2', 'ucdn-3'].map((resourceId, index) => ({
  ...usageAt(INTERVAL.startMs, { resourceId, projectId: index < 2 ? 'org-1' : 'org-2' }),
  batch: 1,
}))

function rulesOf(more: string): Pick<Askers, 'rules'> {
  const text = `  - { type: traffic, name: sent, unit: GB, period: day, price: "2", ${more} }\n`
  return { rules: packOf(text).rules }
}

const EVERY = ['ucdn-1 org-1', 'ucdn-2 org-1', 'ucdn-3 org-2']
const PROJECTS = [' org-1', ' org-2']

test.each([
  ['nobody', {}, [' ']],
  ['a rule of the account', rulesOf('level: account'), [' ']],
  ['a rule of each project', rulesOf('level: project'), PROJECTS],
  ['a rule of each resource', rulesOf('level: resource'), EVERY],
  ['a rule of groups of resources', rulesOf('level: group'), EVERY],
  ['free days of a resource', rulesOf('level: account, freeBelowPerDay: 1GB'), EVERY],
  [
    'a package for a project',
    { packages: [packageOf('p', 1n, { projectIds: ['org-1'] })] },
    PROJECTS,
  ],
  ['a package for a resource', { packages: [packageOf('p', 1n, { resourceIds: ['u'] })] }, EVERY],
  ['a package for everything', { packages: [packageOf('p', 1n)] }, [' ']],
  ['volumes of their own', { byResource: true }, EVERY],
] as const)('tells apart what %s asks for, and sums the rest', async (_who, asked, expected) => {
  const askers: Askers = { rules: [], packages: [], byResource: false, ...asked }
  const key = { accountId: CUSTOMER.id, meter: 'cdn' } as const
  const found = await readTraffic(fakeBooksUsage(USAGE), key, INTERVAL, ZONE, askers)
  expect(found.map(({ resourceId, projectId }) => `${resourceId} ${projectId}`)).toEqual(expected)
  expect(found.reduce((sum, { bytes }) => sum + bytes, 0n)).toBe(3_000_000_000n)
})

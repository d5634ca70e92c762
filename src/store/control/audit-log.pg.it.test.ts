import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type ThrowAwayPostgres,
  findPostgres,
  startPostgres,
} from '../../../test/support/postgres.ts'
import { skipOrFail } from '../../../test/support/programs.ts'
import { auditLogSuite, openWorld } from './audit-log.suite.ts'
import { walkAuditLog } from './audit-log.ts'

const programs = await findPostgres()

test('PostgreSQL is there to keep an audit log', (context) => {
  expect(programs ?? skipOrFail(context, 'PostgreSQL is not installed')).toMatch(/bin$/)
})

describe.skipIf(programs === null)('the audit log on PostgreSQL', () => {
  let server: ThrowAwayPostgres
  beforeAll(async () => {
    server = await startPostgres(programs ?? '')
  })
  afterAll(() => server?.stop())
  auditLogSuite(() => server.createDatabase())

  test('changes that two nodes make at once are one chain', async () => {
    const location = await server.createDatabase()
    const one = await openWorld(location)
    const two = await openWorld(location)
    await one.catalog.ensureDefaults()
    const made = Array.from({ length: 20 }, (_, index) =>
      [one, two].map(({ catalog }, node) =>
        catalog.as('test').createAccount({ name: `${index} of ${node}` }),
      ),
    )
    await Promise.all(made.flat())
    const { checks, findings } = await walkAuditLog(one.store.db)
    expect(findings).toEqual([])
    expect(checks).toBeGreaterThan(40)
    await one.store.close()
    await two.store.close()
  })
})

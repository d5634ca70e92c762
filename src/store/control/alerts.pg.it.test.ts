import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  findPostgres,
  startPostgres,
  type ThrowAwayPostgres,
} from '../../../test/support/postgres.ts'
import { skipOrFail } from '../../../test/support/programs.ts'
import { NEW_STATE } from '../../billing/alert.ts'
import { createAlertOutbox } from './alert-outbox.ts'
import { alertsSuite } from './alerts.suite.ts'
import {
  alertOf,
  firing,
  LEASE_MS,
  MASTER_KEY,
  NOW_MS,
  openAlerts,
  writesOf,
} from './alerts-world.suite.ts'
import { createMasterKeys } from './master-key.ts'

const programs = await findPostgres()

test('PostgreSQL is there to keep alerts', (context) => {
  expect(programs ?? skipOrFail(context, 'PostgreSQL is not installed')).toMatch(/bin$/)
})

describe.skipIf(programs === null)('alerts on PostgreSQL', () => {
  let server: ThrowAwayPostgres
  beforeAll(async () => {
    server = await startPostgres(programs ?? '')
  })
  afterAll(() => server?.stop())
  alertsSuite(() => server.createDatabase())

  // Without asking each row again, the second sender would take what the first one just took.
  test('a sender that waits for another one takes nothing of what that one took', async () => {
    const location = await server.createDatabase()
    const one = await openAlerts(location)
    const two = await openAlerts(location)
    const alert = alertOf(one.accountId)
    await writesOf(one.store).insert({ alert, state: NEW_STATE })
    await one.store.alerts.advance(alert.id, NOW_MS, () => firing(alert))
    const request = { nowMs: NOW_MS, leaseMs: LEASE_MS, limit: 10 }
    let second: Promise<readonly unknown[]> | undefined
    await one.store.db.transaction().execute(async (trx) => {
      const outbox = createAlertOutbox(trx, createMasterKeys([MASTER_KEY]))
      expect(await outbox.claim(request)).toHaveLength(2)
      second = two.store.alertOutbox.claim(request)
      await new Promise((resolve) => setTimeout(resolve, 300))
    })
    expect(await second).toEqual([])
    await one.store.close()
    await two.store.close()
  })
})

import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type ThrowAwayPostgres,
  findPostgres,
  startPostgres,
} from '../../../test/support/postgres.ts'
import { skipOrFail } from '../../../test/support/programs.ts'
import { systemClock } from '../../core/clock.ts'
import { openControlStore } from './control-store.ts'
import { createMasterKeys } from './master-key.ts'
import { MIGRATIONS } from './migrations/list.ts'
import { controlStoreSuite } from './control-store.suite.ts'

const programs = await findPostgres()

test('PostgreSQL is there to be tested with', (context) => {
  expect(programs ?? skipOrFail(context, 'PostgreSQL is not installed')).toMatch(/bin$/)
})

describe.skipIf(programs === null)('on PostgreSQL', () => {
  let server: ThrowAwayPostgres
  beforeAll(async () => {
    server = await startPostgres(programs ?? '')
  })
  afterAll(() => server?.stop())
  controlStoreSuite(() => server.createDatabase())

  test('of several nodes that start together on an empty database, each step is applied by one', async () => {
    const location = await server.createDatabase()
    const masterKeys = createMasterKeys([randomBytes(32).toString('base64')])
    const deps = { clock: systemClock, masterKeys }
    const opened = await Promise.all([1, 2, 3].map(() => openControlStore(location, deps)))
    const applied = opened.flatMap((store) => store.migrated)
    expect(applied.sort()).toEqual(MIGRATIONS.map((step) => step.name))
    await Promise.all(opened.map((store) => store.close()))
  })
})

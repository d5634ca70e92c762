import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type ThrowAwayPostgres,
  findPostgres,
  startPostgres,
} from '../../../test/support/postgres.ts'
import { skipOrFail } from '../../../test/support/programs.ts'
import { chargeModesSuite } from './charge-modes.suite.ts'

const programs = await findPostgres()

test('PostgreSQL is there to keep charge modes', (context) => {
  expect(programs ?? skipOrFail(context, 'PostgreSQL is not installed')).toMatch(/bin$/)
})

describe.skipIf(programs === null)('charge modes on PostgreSQL', () => {
  let server: ThrowAwayPostgres
  beforeAll(async () => {
    server = await startPostgres(programs ?? '')
  })
  afterAll(() => server?.stop())
  chargeModesSuite(() => server.createDatabase())
})

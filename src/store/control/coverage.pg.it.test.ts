import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type ThrowAwayPostgres,
  findPostgres,
  startPostgres,
} from '../../../test/support/postgres.ts'
import { skipOrFail } from '../../../test/support/programs.ts'
import { coverageSuite } from './coverage.suite.ts'

const programs = await findPostgres()

test('PostgreSQL is there to keep coverage', (context) => {
  expect(programs ?? skipOrFail(context, 'PostgreSQL is not installed')).toMatch(/bin$/)
})

describe.skipIf(programs === null)('coverage on PostgreSQL', () => {
  let server: ThrowAwayPostgres
  beforeAll(async () => {
    server = await startPostgres(programs ?? '')
  })
  afterAll(() => server?.stop())
  coverageSuite(() => server.createDatabase())
})

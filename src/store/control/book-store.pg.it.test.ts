import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type ThrowAwayPostgres,
  findPostgres,
  startPostgres,
} from '../../../test/support/postgres.ts'
import { skipOrFail } from '../../../test/support/programs.ts'
import { bookStoreSuite } from './book-store.suite.ts'

const programs = await findPostgres()

test('PostgreSQL is there to keep books', (context) => {
  expect(programs ?? skipOrFail(context, 'PostgreSQL is not installed')).toMatch(/bin$/)
})

describe.skipIf(programs === null)('the store of books on PostgreSQL', () => {
  let server: ThrowAwayPostgres
  beforeAll(async () => {
    server = await startPostgres(programs ?? '')
  })
  afterAll(() => server?.stop())
  bookStoreSuite(() => server.createDatabase())
})

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type ThrowAwayPostgres,
  findPostgres,
  startPostgres,
} from '../../../test/support/postgres.ts'
import { skipOrFail } from '../../../test/support/programs.ts'
import { buy, openLedger } from './ledger-world.suite.ts'
import { ledgerSuite } from './ledger.suite.ts'

const programs = await findPostgres()

test('PostgreSQL is there to keep a ledger', (context) => {
  expect(programs ?? skipOrFail(context, 'PostgreSQL is not installed')).toMatch(/bin$/)
})

describe.skipIf(programs === null)('the ledger on PostgreSQL', () => {
  let server: ThrowAwayPostgres
  beforeAll(async () => {
    server = await startPostgres(programs ?? '')
  })
  afterAll(() => server?.stop())
  ledgerSuite(() => server.createDatabase())

  // Locked in any order, two nodes with two accounts each would wait for each other for ever.
  test('nodes that post to the same accounts in opposite order wait and both succeed', async () => {
    const location = await server.createDatabase()
    const one = await openLedger(location)
    const two = await openLedger(location)
    const rounds = Array.from({ length: 20 }, (_, round) => [
      one.ledger.post([buy(`a/one-${round}`, 1n), buy(`b/one-${round}`, 1n)]),
      two.ledger.post([buy(`b/two-${round}`, 1n), buy(`a/two-${round}`, 1n)]),
    ])
    await Promise.all(rounds.flat())
    for (const accountId of ['a', 'b']) {
      const entries = await two.ledger.entries(accountId, { limit: 100 })
      expect(entries.map((entry) => entry.sequence)).toEqual(entries.map((_, index) => index + 1))
      expect(entries).toHaveLength(40)
    }
    expect((await one.ledger.audit()).findings).toEqual([])
    await one.store.close()
    await two.store.close()
  })
})

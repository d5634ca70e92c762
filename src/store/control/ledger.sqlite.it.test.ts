import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe } from 'vitest'
import { ledgerSuite } from './ledger.suite.ts'

describe('the ledger on SQLite', () => {
  let folder: string
  let count = 0
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weir-ledger-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))
  ledgerSuite(async () => {
    count += 1
    return join(folder, `ledger-${count}.db`)
  })
})

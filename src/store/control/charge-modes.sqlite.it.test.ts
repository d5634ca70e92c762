import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe } from 'vitest'
import { chargeModesSuite } from './charge-modes.suite.ts'

describe('charge modes on SQLite', () => {
  let folder: string
  let count = 0
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weir-modes-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))
  chargeModesSuite(async () => {
    count += 1
    return join(folder, `modes-${count}.db`)
  })
})

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe } from 'vitest'
import { coverageSuite } from './coverage.suite.ts'

describe('coverage on SQLite', () => {
  let folder: string
  let count = 0
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weir-coverage-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))
  coverageSuite(async () => {
    count += 1
    return join(folder, `coverage-${count}.db`)
  })
})

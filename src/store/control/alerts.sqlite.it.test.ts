import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe } from 'vitest'
import { alertsSuite } from './alerts.suite.ts'

describe('alerts on SQLite', () => {
  let folder: string
  let count = 0
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weir-alerts-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))
  alertsSuite(async () => {
    count += 1
    return join(folder, `alerts-${count}.db`)
  })
})

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe } from 'vitest'
import { controlStoreSuite } from './control-store.suite.ts'

describe('on SQLite', () => {
  let folder: string
  let count = 0
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weir-control-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))
  controlStoreSuite(async () => {
    count += 1
    return join(folder, `control-${count}.db`)
  })
})

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe } from 'vitest'
import { auditLogSuite } from './audit-log.suite.ts'

describe('the audit log on SQLite', () => {
  let folder: string
  let count = 0
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weir-audit-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))
  auditLogSuite(async () => {
    count += 1
    return join(folder, `audit-${count}.db`)
  })
})

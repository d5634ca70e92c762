import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe } from 'vitest'
import { bookStoreSuite } from './book-store.suite.ts'

describe('the store of books on SQLite', () => {
  let folder: string
  let count = 0
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'weir-books-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))
  bookStoreSuite(async () => {
    count += 1
    return join(folder, `books-${count}.db`)
  })
})

import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { getPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { createWorldStore, WORLD } from '../../../test/support/pipeline.ts'
import type { Engine } from './engine.ts'
import { openEngine } from './open.ts'

let directory = ''
let engine: Engine | undefined

afterAll(async () => {
  await engine?.close()
  await rm(directory, { recursive: true, force: true })
})

test.runIf(process.platform === 'linux')(
  'once the store is open, merges yield to everything',
  async () => {
    directory = await mkdtemp(join(tmpdir(), 'weir-merges-'))
    engine = await openEngine({
      location: join(directory, 'usage'),
      cluster: null,
      queryConnections: 1,
      requestTimeoutMs: 30_000,
    })
    await createWorldStore(engine, directory, { attributions: WORLD, revision: 1 }).open()
    const merging = readdirSync('/proc/self/task').filter(
      (task) => readFileSync(`/proc/self/task/${task}/comm`, 'utf8').trim() === 'MergeMutate',
    )
    expect(merging).not.toEqual([])
    expect(merging.map((task) => getPriority(Number(task)))).toEqual(merging.map(() => 19))
  },
)

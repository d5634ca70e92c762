import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { composeServer } from './compose-server.ts'
import { openCore } from './compose.ts'
import type { Role } from './config/config.ts'
import { loadConfig } from './config/load.ts'
import { createLog } from './telemetry/log.ts'
import { createMetrics } from './telemetry/metrics.ts'

const directory = mkdtempSync(join(tmpdir(), 'weir-roles-'))
const config = loadConfig({ environment: {}, flags: { data: { directory } } })
const telemetry = { log: createLog({ level: 'silent' }), metrics: createMetrics({ version: '1' }) }
const core = await openCore(config, telemetry)
afterAll(async () => {
  await core.close()
  rmSync(directory, { recursive: true })
})

/** Statuses without credentials: 200 and 401 are there, 404 is not. */
async function statuses(roles: Role[]): Promise<Record<string, number>> {
  const { app } = composeServer({ ...config, roles }, core, telemetry)
  const ask = async (method: 'GET' | 'POST', url: string): Promise<[string, number]> => {
    const { statusCode } = await app.inject({ method, url })
    return [url, statusCode]
  }
  const answers = Object.fromEntries([
    await ask('GET', '/?Action=GetRegion'),
    await ask('GET', '/admin/v1/accounts'),
    await ask('POST', '/v1/query'),
    await ask('POST', '/v1/usage/eip'),
    await ask('GET', '/healthz'),
  ])
  await app.close()
  return answers
}

test('a process answers what its roles say, and nothing else', async () => {
  expect(await statuses(['ingest', 'worker', 'api'])).toEqual({
    '/?Action=GetRegion': 200,
    '/admin/v1/accounts': 401,
    '/v1/query': 401,
    '/v1/usage/eip': 401,
    '/healthz': 200,
  })
  expect(await statuses(['ingest'])).toMatchObject({
    '/?Action=GetRegion': 404,
    '/admin/v1/accounts': 404,
    '/v1/usage/eip': 401,
    '/healthz': 200,
  })
  expect(await statuses(['api'])).toMatchObject({
    '/?Action=GetRegion': 200,
    '/v1/usage/eip': 404,
  })
})

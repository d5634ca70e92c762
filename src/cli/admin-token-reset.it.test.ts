import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { findPostgres, startPostgres, type ThrowAwayPostgres } from '../../test/support/postgres.ts'
import { skipOrFail } from '../../test/support/programs.ts'
import { createCatalog } from '../catalog/catalog.ts'
import { readAdminToken, saveAdminToken } from '../config/admin-token-file.ts'
import { lockData } from '../config/data-lock.ts'
import { systemClock } from '../core/clock.ts'
import { walkAuditLog } from '../store/control/audit-log.ts'
import { openControlStore } from '../store/control/control-store.ts'
import { createMasterKeys } from '../store/control/master-key.ts'
import { adminTokenCommand } from './admin-token.ts'

const root = mkdtempSync(join(tmpdir(), 'weir-reset-'))
const programs = await findPostgres()
let postgres: ThrowAwayPostgres | undefined
let count = 0
let directory: string

beforeAll(async () => {
  if (programs !== null) postgres = await startPostgres(programs)
})
afterAll(async () => {
  await postgres?.stop()
  rmSync(root, { recursive: true })
})
beforeEach(() => {
  count += 1
  directory = join(root, String(count))
  mkdirSync(directory)
})

async function weir(line: string, options: { location?: string; isTerminal?: boolean } = {}) {
  let text = ''
  const noun = adminTokenCommand({
    environment: {
      WEIR_DATA__DIRECTORY: directory,
      ...(options.location !== undefined && { WEIR_CONTROL_STORE__LOCATION: options.location }),
    },
    isTerminal: options.isTerminal ?? false,
    clock: systemClock,
    exitWith: () => undefined,
    write: (part) => {
      text += part
    },
  })
  await new Command('weir').addCommand(noun).parseAsync(line.split(' '), { from: 'user' })
  return text
}

interface Reset {
  readonly id: string
  readonly name: string
  readonly token: string
  readonly file: string | null
  readonly others: readonly { readonly name: string }[]
}

/** Opens the control store as a server does. */
async function openServer(location: string) {
  const masterKeys = createMasterKeys([Buffer.alloc(32, 7).toString('base64')])
  // Its memory of tokens is asked at most once a second; here that second is over at once.
  let ms = systemClock.nowMs()
  const clock = { nowMs: () => (ms += 2000) }
  const store = await openControlStore(location, { clock, masterKeys })
  const catalog = createCatalog(store.catalog, { clock })
  await catalog.ensureDefaults()
  return { store, catalog }
}

test('PostgreSQL is there to reset tokens in', (context) => {
  expect(programs ?? skipOrFail(context, 'PostgreSQL is not installed')).toMatch(/bin$/)
})

describe.each([
  ['a SQLite file', async () => join(directory, 'control.db'), true],
  ['PostgreSQL', async () => (await postgres?.createDatabase()) ?? '', programs !== null],
])('in %s', (_, locate, isThere) => {
  test.skipIf(!isThere)('a running server takes the new token, and the old one', async () => {
    const location = await locate()
    const { store, catalog } = await openServer(location)
    const first = await catalog.ensureAdminToken((token) => saveAdminToken(directory, token))
    const unlock = lockData(directory, 'serve')
    try {
      const made = JSON.parse(await weir('admin-token reset', { location })) as Reset
      expect(await store.reader.adminOfToken(made.token)).toMatchObject({ id: made.id })
      expect(await store.reader.adminOfToken(first?.token ?? '')).toMatchObject({ name: 'first' })
      expect(made.others).toEqual([{ id: first?.adminToken.id, name: 'first' }])
      expect(readAdminToken(directory)).toBe(made.token)
      // What stops the last token from being revoked now holds for the new one.
      await catalog.as('ops').revokeAdminToken(first?.adminToken.id ?? '')
      await expect(catalog.as('ops').revokeAdminToken(made.id)).rejects.toThrow('last admin token')
      const { items } = await catalog.rows.audit.list(
        { action: 'admin-token.reset' },
        { limit: 10, cursor: null },
      )
      expect(items).toMatchObject([{ actor: 'system', target: made.id, after: { id: made.id } }])
      expect(JSON.stringify(items)).not.toContain(made.token)
      expect((await walkAuditLog(store.db)).findings).toEqual([])
    } finally {
      unlock()
      await store.close()
    }
  })

  test.skipIf(!isThere)('before a server has been there, nothing is made', async () => {
    const location = await locate()
    const refused = weir('admin-token reset', { location })
    await expect(refused).rejects.toMatchObject({ code: 'config_invalid' })
    await expect(refused).rejects.toThrow('No server has kept anything there yet')
    expect(readdirSync(directory)).toEqual([])
    await (await openServer(location)).store.close()
    await expect(weir('admin-token reset', { location })).rejects.toThrow('makes the first one')
    expect(readAdminToken(directory)).toBeUndefined()
  })
})

test('without a server running, and without the master key', async () => {
  const { store, catalog } = await openServer(join(directory, 'control.db'))
  await catalog.ensureAdminToken((token) => saveAdminToken(directory, token))
  await store.close()
  const text = await weir('admin-token reset', { isTerminal: true })
  const token = /weir_adm_\S+/.exec(text)?.[0]
  expect(token).toBe(readAdminToken(directory))
  expect(text).toMatch(/Also valid, [^]*tok-\S+ {2}first/)
  expect(readdirSync(directory)).not.toContain('master-key')
})

test('a token that cannot be kept in the file is shown all the same', async () => {
  const { store, catalog } = await openServer(join(directory, 'control.db'))
  await catalog.ensureAdminToken()
  mkdirSync(join(directory, 'admin-token'))
  const made = JSON.parse(await weir('admin-token reset')) as Reset
  expect(made.file).toBeNull()
  expect(await store.reader.adminOfToken(made.token)).toMatchObject({ id: made.id })
  expect(await weir('admin-token reset', { isTerminal: true })).toContain(
    `${join(directory, 'admin-token')} could not be written (EISDIR)`,
  )
  await store.close()
})

test('the file is for its owner only, also when it was readable before', async () => {
  const { store, catalog } = await openServer(join(directory, 'control.db'))
  await catalog.ensureAdminToken((token) => saveAdminToken(directory, token))
  await store.close()
  const file = join(directory, 'admin-token')
  chmodSync(file, 0o644)
  const { token } = JSON.parse(await weir('admin-token reset')) as Reset
  expect(readFileSync(file, 'utf8')).toBe(`${token}\n`)
  expect(statSync(file).mode & 0o777).toBe(0o600)
})

test('a store of another release is not touched', async () => {
  const { store, catalog } = await openServer(join(directory, 'control.db'))
  await catalog.ensureAdminToken()
  const { db } = store
  const [last] = await db.selectFrom('migrations').selectAll().orderBy('name', 'desc').execute()
  await db
    .deleteFrom('migrations')
    .where('name', '=', last?.name ?? '')
    .execute()
  await expect(weir('admin-token reset')).rejects.toThrow('written by an older release')
  const newer = { name: '9999-newer', applied_ms: 0 }
  await db.insertInto('migrations').values(newer).execute()
  await expect(weir('admin-token reset')).rejects.toThrow('written by a newer release')
  await store.close()
})

test('a database that is not there is named with its way out, without its password', async () => {
  const location = 'postgres://weir:plainly-fake@127.0.0.1:1/weir'
  const refused = weir('admin-token reset', { location })
  await expect(refused).rejects.toThrow('(ECONNREFUSED) Check that it runs')
  await expect(refused).rejects.not.toThrow('plainly-fake')
})

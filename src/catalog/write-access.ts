import { createHash, randomBytes } from 'node:crypto'
import type { z } from 'zod'
import { AppError } from '../core/errors.ts'
import { newId, newSecret } from '../core/ids.ts'
import { type Change, findAccount, recordChange, refuseTaken, unknownRef } from './change.ts'
import { parseInput } from './input.ts'
import { CreateAdminToken, CreateKey, CreateSource, UpdateSource } from './inputs.ts'
import type { AdminToken, KeyPair, Source } from './model.ts'

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** Random letters and digits only: both dialects put keys into URLs and headers unescaped. */
function randomText(length: number): string {
  let text = ''
  while (text.length < length) {
    for (const byte of randomBytes(length)) {
      // 248 = 4 × 62: bytes above it would favour the first letters.
      if (byte < 248 && text.length < length) text += LETTERS[byte % 62]
    }
  }
  return text
}

/** Makes the form in which a bearer token is kept and looked up. */
export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

/**
 * Makes a key pair; its secret is in this answer and never again.
 *
 * Errors: `not_found` for the account, `conflict` when the public key is taken.
 */
export async function createKey(
  change: Change,
  input: z.input<typeof CreateKey>,
): Promise<{ readonly key: KeyPair; readonly secret: string }> {
  const fields = parseInput(CreateKey, input)
  const account = await findAccount(change.rows, fields.account)
  const publicKey = fields.publicKey ?? `AKID${randomText(32)}`
  const secret = fields.secret ?? randomText(32)
  const taken = await change.rows.keys.find({ publicKey })
  refuseTaken(taken !== undefined, 'publicKey', `public key ${publicKey} exists already.`)
  const key: KeyPair = {
    id: newId('key'),
    accountId: account.id,
    publicKey,
    name: fields.name ?? '',
    dialect: fields.dialect,
    active: true,
    createdMs: change.nowMs,
  }
  await change.rows.keys.insert(key, { secret })
  await recordChange(change, 'key.create', key.id, { before: null, after: key })
  return { key, secret }
}

/** Makes a key pair unusable for good. Doing it again changes nothing. */
export async function revokeKey(change: Change, ref: string): Promise<KeyPair> {
  const { keys } = change.rows
  const before =
    (await keys.get(ref)) ?? (await keys.find({ publicKey: ref })) ?? unknownRef('key', ref, 'id')
  if (!before.active) return before
  const after: KeyPair = { ...before, active: false }
  await keys.replace(after)
  await recordChange(change, 'key.revoke', after.id, { before, after })
  return after
}

/** Makes a way in for usage; its token is in this answer and never again. */
export async function createSource(
  change: Change,
  input: z.input<typeof CreateSource>,
): Promise<{ readonly source: Source; readonly token: string }> {
  const fields = parseInput(CreateSource, input)
  const { rows } = change
  const account = fields.account === null ? null : await findAccount(rows, fields.account)
  const taken = await rows.sources.find({ name: fields.name })
  refuseTaken(taken !== undefined, 'name', `source "${fields.name}" exists already.`)
  const token = `weir_src_${newSecret()}`
  const source: Source = {
    id: newId('src'),
    name: fields.name,
    meters: fields.meters,
    // Usage belongs to root accounts, whoever reports it.
    accountId: account === null ? null : (account.parentId ?? account.id),
    expects: fields.expects,
    active: true,
    createdMs: change.nowMs,
  }
  await rows.sources.insert(source, { tokenHash: hashToken(token) })
  await recordChange(change, 'source.create', source.id, { before: null, after: source })
  return { source, token }
}

/** Changes what is expected of a source from now on. Errors: `not_found`. */
export async function updateSource(
  change: Change,
  ref: string,
  input: z.input<typeof UpdateSource>,
): Promise<Source> {
  const { expects } = parseInput(UpdateSource, input)
  const before = await findSource(change, ref)
  if (before.expects === expects) return before
  const after: Source = { ...before, expects }
  await change.rows.sources.replace(after)
  await recordChange(change, 'source.update', after.id, { before, after })
  return after
}

async function findSource(change: Change, ref: string): Promise<Source> {
  const { sources } = change.rows
  return (
    (await sources.get(ref)) ??
    (await sources.find({ name: ref })) ??
    unknownRef('source', ref, 'id')
  )
}

/** Makes a source's token unusable for good. What it reported stays. */
export async function revokeSource(change: Change, ref: string): Promise<Source> {
  const { sources } = change.rows
  const before = await findSource(change, ref)
  if (!before.active) return before
  const after: Source = { ...before, active: false }
  await sources.replace(after)
  await recordChange(change, 'source.revoke', after.id, { before, after })
  return after
}

/** Makes a token of the admin API; the token is in this answer and never again. */
export async function createAdminToken(
  change: Change,
  input: z.input<typeof CreateAdminToken>,
): Promise<{ readonly adminToken: AdminToken; readonly token: string }> {
  const { name } = parseInput(CreateAdminToken, input)
  return insertAdminToken(change, 'admin-token.create', name)
}

/**
 * Makes an admin token for whoever has lost theirs; the others stay as they are. The token is in
 * this answer and never again.
 *
 * Errors: `operation_denied` before there has been any: the server makes the first one.
 */
export async function resetAdminToken(
  change: Change,
): Promise<{ readonly adminToken: AdminToken; readonly token: string }> {
  if ((await change.rows.adminTokens.find({})) === undefined) {
    throw new AppError(
      'operation_denied',
      'There is no admin token yet: `weir serve` makes the first one when it starts.',
    )
  }
  const name = `reset ${new Date(change.nowMs).toISOString()}`
  return insertAdminToken(change, 'admin-token.reset', name)
}

async function insertAdminToken(
  change: Change,
  action: string,
  name: string,
): Promise<{ readonly adminToken: AdminToken; readonly token: string }> {
  const taken = await change.rows.adminTokens.find({ name })
  refuseTaken(taken !== undefined, 'name', `admin token "${name}" exists already.`)
  const token = `weir_adm_${newSecret()}`
  const adminToken: AdminToken = { id: newId('tok'), name, active: true, createdMs: change.nowMs }
  await change.rows.adminTokens.insert(adminToken, { tokenHash: hashToken(token) })
  await recordChange(change, action, adminToken.id, { before: null, after: adminToken })
  return { adminToken, token }
}

/**
 * Makes an admin token unusable. Errors: `conflict` for the last one, which would lock everybody
 * out.
 */
export async function revokeAdminToken(change: Change, id: string): Promise<AdminToken> {
  const { adminTokens } = change.rows
  const before = (await adminTokens.get(id)) ?? unknownRef('admin token', id, 'id')
  if (!before.active) return before
  const { items } = await adminTokens.list({ active: true }, { limit: 2, cursor: null })
  refuseTaken(items.length === 1, 'id', 'this is the last admin token; make another one first.')
  const after: AdminToken = { ...before, active: false }
  await adminTokens.replace(after)
  await recordChange(change, 'admin-token.revoke', id, { before, after })
  return after
}

import { z } from 'zod'
import { findAccount, unknownRef } from '../../catalog/change.ts'
import {
  AccountRef,
  CreateAdminToken,
  CreateKey,
  CreateSource,
  UpdateSource,
} from '../../catalog/inputs.ts'
import type { CatalogWriter } from '../../catalog/catalog.ts'
import { Flag, filterOf, listQuery, pageAnswer, pageOf, pageToWire, route } from './route.ts'
import {
  AdminTokenWire,
  AuditWire,
  KeyWire,
  NewAdminTokenWire,
  NewKeyWire,
  NewSourceWire,
  SourceWire,
  adminTokenToWire,
  auditToWire,
  keyToWire,
  sourceToWire,
} from './wire.ts'

type BodyOf<K extends keyof CatalogWriter, At extends number> = Parameters<CatalogWriter[K]>[At]

const KEYS = [
  route('GET', '/keys', {
    summary: 'List key pairs, without their secrets.',
    query: listQuery({
      account: AccountRef.optional(),
      publicKey: z.string().optional(),
      active: Flag.optional(),
    }),
    answer: pageAnswer(KeyWire),
    run: async ({ catalog, query }) => {
      const { rows } = catalog
      const { account, publicKey, active } = query
      const accountId = account === undefined ? undefined : (await findAccount(rows, account)).id
      const filter = filterOf({ accountId, publicKey, active })
      return pageToWire(await rows.keys.list(filter, pageOf(query)), keyToWire)
    },
  }),
  route('POST', '/keys', {
    summary: 'Make a key pair; its secret is in this answer only.',
    body: CreateKey,
    answer: NewKeyWire,
    run: async ({ writer, body }) => {
      const { key, secret } = await writer.createKey(body as BodyOf<'createKey', 0>)
      return { ...keyToWire(key), secret }
    },
  }),
  route('GET', '/keys/{id}', {
    summary: 'Show a key pair, without its secret, by id or public key.',
    answer: KeyWire,
    run: async ({ catalog, id }) => {
      const { keys } = catalog.rows
      const key = (await keys.get(id)) ?? (await keys.find({ publicKey: id }))
      return keyToWire(key ?? unknownRef('key', id, 'id'))
    },
  }),
  route('POST', '/keys/{id}/revoke', {
    summary: 'Make a key pair unusable for good.',
    answer: KeyWire,
    run: async ({ writer, id }) => keyToWire(await writer.revokeKey(id)),
  }),
]

const SOURCES = [
  route('GET', '/sources', {
    summary: 'List ways in for usage, without their tokens.',
    query: listQuery({
      name: z.string().optional(),
      account: AccountRef.optional(),
      active: Flag.optional(),
    }),
    answer: pageAnswer(SourceWire),
    run: async ({ catalog, query }) => {
      const { rows } = catalog
      const { name, account, active } = query
      const accountId = account === undefined ? undefined : (await findAccount(rows, account)).id
      const filter = filterOf({ name, accountId, active })
      return pageToWire(await rows.sources.list(filter, pageOf(query)), sourceToWire)
    },
  }),
  route('POST', '/sources', {
    summary: 'Make a way in for usage; its ingest token is in this answer only.',
    body: CreateSource,
    answer: NewSourceWire,
    run: async ({ writer, body }) => {
      const { source, token } = await writer.createSource(body as BodyOf<'createSource', 0>)
      return { ...sourceToWire(source), token }
    },
  }),
  route('GET', '/sources/{id}', {
    summary: 'Show a source, without its token, by id or name.',
    answer: SourceWire,
    run: async ({ catalog, id }) => {
      const { sources } = catalog.rows
      const source = (await sources.get(id)) ?? (await sources.find({ name: id }))
      return sourceToWire(source ?? unknownRef('source', id, 'id'))
    },
  }),
  route('PATCH', '/sources/{id}', {
    summary: 'Change what is expected of a source from now on.',
    body: UpdateSource,
    answer: SourceWire,
    run: async ({ writer, id, body }) =>
      sourceToWire(await writer.updateSource(id, body as BodyOf<'updateSource', 1>)),
  }),
  route('POST', '/sources/{id}/revoke', {
    summary: "Make a source's token unusable for good; what it reported stays.",
    answer: SourceWire,
    run: async ({ writer, id }) => sourceToWire(await writer.revokeSource(id)),
  }),
]

const TOKENS = [
  route('GET', '/admin-tokens', {
    summary: 'List tokens of this API, without the tokens themselves.',
    query: listQuery({ active: Flag.optional() }),
    answer: pageAnswer(AdminTokenWire),
    run: async ({ catalog, query }) => {
      const filter = filterOf({ active: query.active })
      const page = await catalog.rows.adminTokens.list(filter, pageOf(query))
      return pageToWire(page, adminTokenToWire)
    },
  }),
  route('POST', '/admin-tokens', {
    summary: 'Make a token of this API; it is in this answer only.',
    body: CreateAdminToken,
    answer: NewAdminTokenWire,
    run: async ({ writer, body }) => {
      const made = await writer.createAdminToken(body as BodyOf<'createAdminToken', 0>)
      return { ...adminTokenToWire(made.adminToken), token: made.token }
    },
  }),
  route('POST', '/admin-tokens/{id}/revoke', {
    summary: 'Make a token unusable; the last one cannot be revoked.',
    answer: AdminTokenWire,
    run: async ({ writer, id }) => adminTokenToWire(await writer.revokeAdminToken(id)),
  }),
]

const AUDIT = route('GET', '/audit-log', {
  summary: 'List who changed what, newest first.',
  query: listQuery({
    actor: z.string().optional(),
    action: z.string().optional().describe('<kind>.<verb>, e.g. resource.move.'),
    target: z.string().optional().describe('Id of what changed.'),
  }),
  answer: pageAnswer(AuditWire),
  run: async ({ catalog, query }) => {
    const { actor, action, target } = query
    const filter = filterOf({ actor, action, target })
    return pageToWire(await catalog.rows.audit.list(filter, pageOf(query)), auditToWire)
  },
})

/** Operations on keys, sources, admin tokens and the audit log. */
export const ACCESS_ROUTES = [...KEYS, ...SOURCES, ...TOKENS, AUDIT]

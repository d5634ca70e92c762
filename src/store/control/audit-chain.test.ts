import { expect, test } from 'vitest'
import { EMPTY_HEAD } from '../../core/hash-chain.ts'
import {
  type AuditRecord,
  checkAuditRow,
  formatAuditRecord,
  linkAuditRecord,
} from './audit-chain.ts'

// 2026-04-01T00:00:00Z; a value with a quote, whose text is kept inside of a text.
const CREATED: AuditRecord = {
  id: 'log-1',
  at_ms: 1_775_001_600_000,
  actor: 'alice',
  action: 'account.create',
  target: 'acc-1',
  before: null,
  after: '{"name":"a \\"b\\""}',
}
const TEXT = String.raw`{"format":1,"id":"log-1","atMs":1775001600000,"actor":"alice","action":"account.create","target":"acc-1","before":null,"after":"{\"name\":\"a \\\"b\\\"\"}"}`

// From a shell: printf '%s' "$(printf '0%.0s' $(seq 64))$TEXT" | sha256sum.
const HASH = '8eb55dbe7f6217832f57f43a224bef10a46729ac26cb8ba88b2c3d68eccdec59'

test('the hashed form of a change never changes', () => {
  expect(formatAuditRecord(CREATED)).toBe(TEXT)
  expect(linkAuditRecord(EMPTY_HEAD, CREATED)).toEqual({
    ...CREATED,
    sequence: 1,
    previous_hash: '0'.repeat(64),
    hash: HASH,
  })
})

test('its own columns are no part of what is hashed', () => {
  expect(formatAuditRecord(linkAuditRecord(EMPTY_HEAD, CREATED))).toBe(TEXT)
})

test.each(Object.keys(CREATED) as (keyof AuditRecord)[])('a changed %s shows', (column) => {
  const row = linkAuditRecord(EMPTY_HEAD, CREATED)
  expect(checkAuditRow(EMPTY_HEAD, row)).toBeNull()
  const value = column === 'at_ms' ? row.at_ms + 1 : `${row[column] ?? ''} `
  const changed = { ...row, [column]: value }
  expect(checkAuditRow(EMPTY_HEAD, changed)).toEqual({ sequence: 1, reason: 'hash' })
})

test('nothing and an empty text are different values', () => {
  const row = linkAuditRecord(EMPTY_HEAD, CREATED)
  for (const before of ['', 'null']) {
    expect(checkAuditRow(EMPTY_HEAD, { ...row, before })?.reason).toBe('hash')
  }
})

import { expect, test } from 'vitest'
import { MINUTE_MS } from '../core/period.ts'
import type { Resource, ResourceVersion } from './model.ts'
import { endOfLife, nextVersion } from './versions.ts'

const NOW_MS = Date.UTC(2026, 10, 21, 8, 30, 15)
const MINUTE_START_MS = Date.UTC(2026, 10, 21, 8, 30)
const CREATED_MS = Date.UTC(2026, 0, 1)
const LAST_MS = Date.UTC(2026, 5, 1)

const RESOURCE: Resource = {
  id: 'eip-1',
  meter: 'eip',
  accountId: 'acc-1',
  projectId: 'org-2',
  name: '192.0.2.1',
  region: 'cn-bj2',
  zone: 'cn-bj2-02',
  kind: 'static',
  gatewayType: 0,
  payMode: 'Traffic',
  createdMs: CREATED_MS,
  deletedMs: null,
}
const LAST: ResourceVersion = {
  resourceId: 'eip-1',
  fromMs: LAST_MS,
  accountId: 'acc-1',
  projectId: 'org-2',
  payMode: 'Traffic',
}
const VERSIONS = [{ ...LAST, fromMs: CREATED_MS, projectId: 'org-1' }, LAST]

test.each([
  ['now', undefined, MINUTE_START_MS],
  ['a minute’s middle', LAST_MS + 90_000, LAST_MS + MINUTE_MS],
  ['the start of the last version', LAST_MS, LAST_MS],
])('a move from %s starts with its minute', (_title, fromMs, startMs) => {
  const version = nextVersion(RESOURCE, VERSIONS, { projectId: 'org-3' }, fromMs, NOW_MS)
  expect(version).toEqual({ ...LAST, projectId: 'org-3', fromMs: startMs })
})

test.each([
  ['before the last version', LAST_MS - 1],
  ['in the future', NOW_MS + MINUTE_MS],
])('a move %s is refused', (_title, fromMs) => {
  expect(() => nextVersion(RESOURCE, VERSIONS, { projectId: 'org-3' }, fromMs, NOW_MS)).toThrow(
    expect.objectContaining({ code: 'parameter_invalid', field: 'fromAt' }),
  )
})

test('a move to where it is makes no version', () => {
  expect(nextVersion(RESOURCE, VERSIONS, { projectId: 'org-2' }, undefined, NOW_MS)).toBeUndefined()
})

test('a deleted resource neither changes nor is deleted again', () => {
  const deleted = { ...RESOURCE, deletedMs: NOW_MS }
  const conflict = expect.objectContaining({ code: 'conflict' })
  expect(() => nextVersion(deleted, VERSIONS, { projectId: 'x' }, undefined, NOW_MS)).toThrow(
    conflict,
  )
  expect(() => endOfLife(deleted, VERSIONS, undefined, NOW_MS)).toThrow(conflict)
})

test.each([
  [
    'now ends with the minute, so that its usage still counts',
    undefined,
    MINUTE_START_MS + MINUTE_MS,
  ],
  ['a past minute’s middle ends with that minute', LAST_MS + 90_000, LAST_MS + 2 * MINUTE_MS],
])('a life that is ended %s', (_title, atMs, endMs) => {
  expect(endOfLife(RESOURCE, VERSIONS, atMs, NOW_MS)).toBe(endMs)
})

test.each([
  ['before the last change', LAST_MS],
  ['in the future', NOW_MS + 2 * MINUTE_MS],
])('a life cannot end %s', (_title, atMs) => {
  expect(() => endOfLife(RESOURCE, VERSIONS, atMs, NOW_MS)).toThrow(
    expect.objectContaining({ code: 'parameter_invalid', field: 'atTime' }),
  )
})

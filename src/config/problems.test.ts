import { expect, test } from 'vitest'
import { nearest } from './problems.ts'

const KEYS = ['server', 'sources', 'secrets', 'stopTimeout', 'host', 'late']

test.each([
  ['sever', 'server'],
  ['servre', 'server'],
  ['Server', 'server'],
  ['source', 'sources'],
  ['secret', 'secrets'],
  ['stop_timeout', 'stopTimeout'],
  ['hots', 'host'],
  ['lat', 'late'],
  ['x', undefined],
  ['unknown', undefined],
  ['toast', undefined],
  ['', undefined],
])('%j may mean %j', (name, meant) => {
  expect(nearest(name, KEYS)).toBe(meant)
})

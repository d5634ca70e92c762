import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { addressOf, request } from './server-address.ts'

const directory = mkdtempSync(join(tmpdir(), 'weir-address-'))
afterAll(() => rmSync(directory, { recursive: true }))

function find(environment: Record<string, string>, options: { url?: string; token?: string } = {}) {
  const context = {
    environment,
    isTerminal: false,
    write: () => undefined,
    clock: { nowMs: () => 0 },
    exitWith: () => undefined,
  }
  return addressOf(context, options)
}

test('without a token, what is missing decides about the way out', () => {
  const WEIR_DATA__DIRECTORY = join(directory, 'data')
  expect(() => find({ WEIR_DATA__DIRECTORY })).toThrow('a first `weir serve` makes it')
  expect(() => find({ WEIR_DATA__DIRECTORY })).not.toThrow('reset')
  mkdirSync(WEIR_DATA__DIRECTORY)
  expect(() => find({ WEIR_DATA__DIRECTORY })).toThrow('`weir admin-token reset` makes a new one')
  writeFileSync(join(WEIR_DATA__DIRECTORY, 'admin-token'), 'abc\n')
  expect(find({ WEIR_DATA__DIRECTORY })).toEqual({ url: 'http://127.0.0.1:8080', token: 'abc' })
})

test.each(['127.0.0.1:8080', 'localhost', 'ftp://a.example', 'http://'])(
  'the URL %s says how to write one, instead of that nobody answers',
  (url) => {
    expect(() => find({}, { url, token: 'a' })).toThrow(`${url} is no address of a server`)
  },
)

test('where nobody answers, another address can be named', async () => {
  const answer = request({ url: 'http://127.0.0.1:1', token: 'a' }, 'GET', '/')
  await expect(answer).rejects.toThrow('Another address is named with --url or WEIR_URL.')
})

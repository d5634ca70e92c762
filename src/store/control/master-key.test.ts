import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createMasterKeys, openMasterKeyFile } from './master-key.ts'

const KEY = Buffer.alloc(32, 1).toString('base64')
const OTHER = Buffer.alloc(32, 2).toString('base64')

test('what a master key sealed, it opens, for the same owner only', () => {
  const keys = createMasterKeys([KEY])
  const sealed = keys.seal('Gu5t9x 密', 'key-1')
  expect(keys.open(sealed, 'key-1')).toBe('Gu5t9x 密')
  expect(sealed.text).not.toContain('Gu5t9x')
  const altered = { ...sealed, text: `${sealed.text.slice(0, -8)}AAAAAAA=` }
  const refused = expect.objectContaining({ code: 'config_invalid' })
  expect(() => keys.open(sealed, 'key-2')).toThrow(refused)
  expect(() => keys.open(altered, 'key-1')).toThrow(refused)
  expect(() => createMasterKeys([OTHER]).open(sealed, 'key-1')).toThrow(refused)
})

test('the same secret is sealed differently each time', () => {
  const keys = createMasterKeys([KEY])
  expect(keys.seal('s', 'key-1').text).not.toBe(keys.seal('s', 'key-1').text)
})

test.each(['', 'short', Buffer.alloc(31).toString('base64')])('%j is no master key', (text) => {
  expect(() => createMasterKeys([text])).toThrow(
    expect.objectContaining({ code: 'config_invalid' }),
  )
})

test('the generated key file is its owner’s alone and stays the same', () => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-master-'))
  try {
    const first = openMasterKeyFile(join(folder, 'master-key'))
    expect(statSync(join(folder, 'master-key')).mode & 0o777).toBe(0o600)
    expect(openMasterKeyFile(join(folder, 'master-key')).currentId).toBe(first.currentId)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('of several keys in the file the first seals and the others still open', () => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-master-'))
  try {
    const path = join(folder, 'master-key')
    writeFileSync(path, `${OTHER}\n${KEY}\n\n`)
    const keys = openMasterKeyFile(path)
    expect(keys.currentId).toBe(createMasterKeys([OTHER]).currentId)
    expect(keys.open(createMasterKeys([KEY]).seal('s', 'key-1'), 'key-1')).toBe('s')
  } finally {
    rmSync(folder, { recursive: true })
  }
})

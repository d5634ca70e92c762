import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { loadConfig, toConfigFile } from './load.ts'
import { readMailServer } from './mail-server.ts'

const directory = mkdtempSync(join(tmpdir(), 'weir-mail-'))
afterAll(() => rmSync(directory, { recursive: true }))

function load(smtp: object, environment: Record<string, string> = {}) {
  const path = join(directory, 'weir.yaml')
  writeFileSync(path, stringify({ smtp }))
  return loadConfig({ path, environment })
}

const SERVER = { host: 'mail.example', from: 'weir@acme.example' }

test('without a host there is no mail server', () => {
  expect(readMailServer(load({}))).toBeNull()
})

test('a server without login is encrypted by STARTTLS on port 587', () => {
  expect(readMailServer(load(SERVER))).toEqual({
    ...SERVER,
    port: 587,
    tls: 'starttls',
    ca: null,
    user: null,
    password: null,
  })
})

test('the password comes from the environment or from a file, without its line end', () => {
  const environment = { WEIR_SMTP__PASSWORD: 's3cret ' }
  expect(readMailServer(load({ ...SERVER, user: 'u' }, environment))?.password).toBe('s3cret ')
  const passwordFile = join(directory, 'password')
  writeFileSync(passwordFile, ' p w \n')
  expect(readMailServer(load({ ...SERVER, user: 'u', passwordFile }))?.password).toBe(' p w ')
})

test('a dump of the configuration does not hold the password', () => {
  const config = load({ ...SERVER, user: 'u', password: 's3cret' })
  expect(config.smtp.password).toBe('s3cret')
  expect(stringify(toConfigFile(config))).not.toContain('s3cret')
})

test.each([
  [{ host: 'mail.example' }, /address that mails come from/],
  [{ ...SERVER, user: 'u' }, /user together with/],
  [{ ...SERVER, password: 'p' }, /user together with/],
  [{ ...SERVER, user: 'u', password: 'p', passwordFile: 'f' }, /user together with/],
])('the section %j is refused', (smtp, message) => {
  expect(() => load(smtp)).toThrow(message)
})

test('a file that is not there is named with its key', () => {
  const config = load({ ...SERVER, user: 'u', passwordFile: '/nowhere/password' })
  expect(() => readMailServer(config)).toThrow('/nowhere/password, which smtp.passwordFile')
})

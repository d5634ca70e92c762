import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Command } from 'commander'
import { afterAll, expect, test } from 'vitest'
import { parse } from 'yaml'
import { checkConfigCommand, dumpConfigCommand } from './config.ts'
import type { CliContext } from './context.ts'

const directory = mkdtempSync(join(tmpdir(), 'weir-config-test-'))
afterAll(() => rmSync(directory, { recursive: true }))

async function run(command: (context: CliContext) => Command, yaml: string): Promise<string> {
  let text = ''
  const path = join(directory, 'weir.yaml')
  writeFileSync(path, yaml)
  const context: CliContext = {
    environment: { WEIR_SERVER__PORT: '9000' },
    isTerminal: false,
    write: (part) => {
      text += part
    },
    clock: { nowMs: () => 0 },
    exitWith: () => undefined,
  }
  await command(context).parseAsync(['--config', path], { from: 'user' })
  return text
}

test('a sound configuration is fine, and says which one it is', async () => {
  const source =
    '{ type: access-log, name: edge, paths: [/x], format: combined, domain: a.example }'
  const text = await run(checkConfigCommand, `sources: [${source}]`)
  expect(text).toBe(`${join(directory, 'weir.yaml')} is fine, with 1 log source.\n`)
})

test('a log format that cannot be read is a mistake of the configuration', async () => {
  const yaml = 'sources: [{ type: access-log, name: edge, paths: [/x], format: "$host" }]'
  await expect(run(checkConfigCommand, yaml)).rejects.toThrow('sources[0] (edge)')
})

test('the dump is a complete file that shows what wins', async () => {
  const dumped: unknown = parse(await run(dumpConfigCommand, 'server: { port: 1, host: "::1" }'))
  expect(dumped).toMatchObject({
    server: { port: 9000, host: '::1', stopTimeout: '10s' },
    usageStore: { location: './data/usage' },
  })
})

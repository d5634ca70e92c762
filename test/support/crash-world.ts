import { existsSync, readFileSync } from 'node:fs'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Core } from '../../src/compose.ts'
import { NOW_MS } from './pipeline.ts'

/** What opens the crash server's doors. */
export interface CrashTokens {
  readonly admin: string
  /** Ingest tokens, by source. */
  readonly sources: Readonly<Record<string, string>>
}

export const CRASH_ACCOUNT = 'crash'
/** Registered before every record of the load. */
export const REGISTERED_AT = new Date(NOW_MS - 40 * 86_400_000).toISOString()

const SOURCES = ['ids', 'keys'] as const
const RESOURCES = [
  { meter: 'cdn', name: 'a.example.com' },
  { meter: 'eip', name: '192.0.2.1' },
] as const

function tokensFile(directory: string): string {
  return join(directory, 'tokens.json')
}

/** Removes what a process left behind that was killed before the world was whole. */
export async function clearUnfinished(directory: string): Promise<void> {
  if (!existsSync(tokensFile(directory))) await rm(directory, { recursive: true, force: true })
  await mkdir(directory, { recursive: true })
}

/** Makes account, resources and sources, once; the tokens are kept when all is there. */
export async function prepareWorld(core: Core, directory: string): Promise<void> {
  if (existsSync(tokensFile(directory))) return
  const writer = core.catalog.as('crash test')
  await writer.createAccount({ name: CRASH_ACCOUNT })
  for (const resource of RESOURCES) {
    await writer.createResource({ ...resource, account: CRASH_ACCOUNT, createdAt: REGISTERED_AT })
  }
  const sources: Record<string, string> = {}
  for (const name of SOURCES) {
    sources[name] = (await writer.createSource({ name, meters: ['eip'] })).token
  }
  const { token: admin } = await writer.createAdminToken({ name: 'crash test' })
  const tokens: CrashTokens = { admin, sources }
  await writeFile(`${tokensFile(directory)}.new`, JSON.stringify(tokens))
  await rename(`${tokensFile(directory)}.new`, tokensFile(directory))
}

/** Reads the tokens of a server that has begun to serve. */
export function readTokens(directory: string): CrashTokens {
  return JSON.parse(readFileSync(tokensFile(directory), 'utf8')) as CrashTokens
}

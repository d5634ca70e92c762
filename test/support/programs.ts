import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { TestContext } from 'vitest'

/** Places of Debian programs that an ordinary user's PATH leaves out. */
const EXTRA_FOLDERS = ['/usr/sbin', '/sbin', '/usr/local/sbin']

/** Finds a program on the PATH or among the system's own; null when it is not installed. */
export function findProgram(name: string): string | null {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), ...EXTRA_FOLDERS]
  for (const folder of folders) {
    const path = join(folder, name)
    if (folder !== '' && existsSync(path)) return path
  }
  return null
}

/**
 * Returns the path of a program that a test cannot do without.
 *
 * Errors: when it is absent the test is skipped with the reason, and fails where `CI=true`, so that
 * a skip cannot rot unseen.
 */
export function needProgram(context: TestContext, name: string): string {
  const path = findProgram(name)
  if (path !== null) return path
  return skipOrFail(context, `${name} is not installed`)
}

/** Skips the test with the reason; fails it where `CI=true`. */
export function skipOrFail(context: TestContext, reason: string): never {
  if (process.env['CI'] === 'true') throw new Error(`${reason}, and CI=true runs every test.`)
  context.skip(reason)
  throw new Error(reason)
}

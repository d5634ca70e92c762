import { readRuleFile, readShippedRules, type RuleFile } from '../config/rule-files.ts'
import { AppError } from '../core/errors.ts'
import { type AdminClient, createAdminClient, pathOf } from './admin-client.ts'
import type { CliContext } from './context.ts'
import { addressOf, type AddressOptions } from './server-address.ts'

/** Tells a file, which has a `/` or a dot or is the standard input, from the name of a pack. */
export function isPackFile(name: string): boolean {
  return /[./\\]/.test(name) || name === '-'
}

/**
 * Reads a rule pack: a file from here; a name from the running server, which knows those that were
 * added, and without one from those that come with Weir.
 *
 * Errors: `not_found` when there is no such pack or file.
 */
export async function readKnownPack(
  context: CliContext,
  options: AddressOptions,
  name: string,
): Promise<RuleFile> {
  if (isPackFile(name)) return readRuleFile(name)
  const found = await askIfThere(context, options, (client) =>
    client.get(pathOf('rule-packs', name)),
  )
  if (found === undefined) return readShippedRules(name)
  return { file: `${name}.yaml`, text: String(found['content']) }
}

/**
 * Asks the server, if there is one; undefined when nobody named one and none is there.
 *
 * Errors: the server's; `overloaded` and `token_unknown` only for a server that was named.
 */
export async function askIfThere<T>(
  context: CliContext,
  options: AddressOptions,
  ask: (client: AdminClient) => Promise<T>,
): Promise<T | undefined> {
  try {
    const { url, token } = addressOf(context, options)
    return await ask(createAdminClient(url, token))
  } catch (error) {
    const isNamed = [options.url, options.token, context.environment['WEIR_URL']].some(
      (each) => each !== undefined,
    )
    const isAbsent =
      error instanceof AppError && ['overloaded', 'token_unknown'].includes(error.code)
    if (isAbsent && !isNamed) return undefined
    throw error
  }
}

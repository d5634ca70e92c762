import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AppError } from '../core/errors.ts'

// Beside src/ and dist/ alike; in the published package, too.
const SHIPPED = fileURLToPath(new URL('../../rules/', import.meta.url))

const STDIN = 0

/** Lists the names of the rule packs that come with Weir, in alphabetical order. */
export function shippedRulePacks(): string[] {
  return readdirSync(SHIPPED)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => file.slice(0, -'.yaml'.length))
    .sort()
}

/** A rule pack as it is written. */
export interface RuleFile {
  /** What messages call it: the path as it was given, or the name of a shipped pack's file. */
  readonly file: string
  readonly text: string
}

/**
 * Reads a rule pack that comes with Weir.
 *
 * Errors: `not_found`, naming those that there are.
 */
export function readShippedRules(name: string): RuleFile {
  const names = shippedRulePacks()
  if (!names.includes(name)) {
    const message = `No rule pack is called ${name}; there are ${names.join(', ')}.`
    throw new AppError('not_found', message)
  }
  const file = `${name}.yaml`
  return { file, text: readFileSync(join(SHIPPED, file), 'utf8') }
}

/**
 * Reads a rule file of the operator's; `-` is the standard input.
 *
 * Errors: `not_found` when it cannot be read.
 */
export function readRuleFile(file: string): RuleFile {
  try {
    return { file, text: readFileSync(file === '-' ? STDIN : file, 'utf8') }
  } catch (error) {
    throw new AppError('not_found', `The rule file ${file} cannot be read.`, { cause: error })
  }
}

/**
 * Reads a rule pack by the name of a shipped one, or by the path of a file (with a `/` or a dot).
 *
 * Errors: `not_found` when there is no such pack or file.
 */
export function readRulePack(name: string): RuleFile {
  return /[./\\]/.test(name) || name === '-' ? readRuleFile(name) : readShippedRules(name)
}

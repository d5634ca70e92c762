import { existsSync, readFileSync } from 'node:fs'
import { parseDocument } from 'yaml'
import { z } from 'zod'
import { AppError } from '../core/errors.ts'
import { ConfigFile, locate, type Config, type ConfigInput } from './config.ts'
import { processEnvironment, type Environment } from './environment.ts'
import { describeProblems, type KeySchema } from './problems.ts'

/** The file that is read when none is named, if it is there. */
export const DEFAULT_CONFIG_PATH = 'weir.yaml'

/** Any part of a configuration file. */
export type ConfigPart = { readonly [Section in keyof ConfigInput]?: ConfigInput[Section] }

export interface LoadOptions {
  /** Path of the file; absent: `WEIR_CONFIG`, then `weir.yaml` if there is one. */
  readonly path?: string | undefined
  /** What the command line says; wins over everything. */
  readonly flags?: ConfigPart
  /** Default: the environment of this process. */
  readonly environment?: Environment
}

/**
 * Reads the configuration: defaults < file < environment < flags.
 *
 * Shape: `WEIR_SERVER__PORT=80` sets `server.port`, `WEIR_INGEST__JOURNAL__BYTES_MAX=1GiB` sets
 * `ingest.journal.bytesMax`, `WEIR_ROLES=[api]` sets `roles`; lists are written as YAML.
 * Errors: `config_invalid` with every problem of the file and the environment at once.
 */
export function loadConfig(options: LoadOptions = {}): Config {
  const environment = options.environment ?? processEnvironment()
  const path = options.path ?? environment['WEIR_CONFIG']
  const file = readConfigFile(path ?? DEFAULT_CONFIG_PATH, { optional: path === undefined })
  const { values, problems } = readEnvironment(environment)
  const merged = merge(merge(file ?? {}, values), options.flags ?? {})
  const result = ConfigFile.safeParse(merged)
  if (!result.success) problems.push(describeProblems(result.error, readSchema()))
  if (result.success && problems.length === 0) return deepFreeze(locate(result.data))
  const named =
    file === null ? 'The configuration' : `The configuration (${path ?? DEFAULT_CONFIG_PATH})`
  throw new AppError(
    'config_invalid',
    `${named} is not usable:\n${problems.join('\n')}\nAll keys: docs/reference/config.md.`,
  )
}

/** The file that `loadConfig` reads; null when there is none and the defaults hold. */
export function findConfigFile({
  path,
  environment = processEnvironment(),
}: Pick<LoadOptions, 'path' | 'environment'>): string | null {
  const named = path ?? environment['WEIR_CONFIG']
  return named ?? (existsSync(DEFAULT_CONFIG_PATH) ? DEFAULT_CONFIG_PATH : null)
}

/** Turns the configuration back into what a file would say, passwords left out. */
export function toConfigFile(config: Config): ConfigInput {
  const file = ConfigFile.encode({
    ...config,
    usageStore: { ...config.usageStore, location: redactUrl(config.usageStore.location) },
    controlStore: { ...config.controlStore, location: redactUrl(config.controlStore.location) },
    smtp: {
      ...config.smtp,
      ...(config.smtp.password === undefined ? {} : { password: 'redacted' }),
    },
  })
  return file
}

/** Replaces the password of a URL; anything that is no URL stays as it is. */
export function redactUrl(text: string): string {
  return text
    .replace(/^([a-z]+:\/\/[^/?#]*?:)[^/?#]*@/, '$1redacted@')
    .replace(/([?&](?:password|access_token)=)[^&#]*/gi, '$1redacted')
}

const UNREADABLE: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'does not exist',
  EISDIR: 'is a directory',
  EACCES: 'may not be read by this user',
}

function readConfigFile(path: string, { optional }: { optional: boolean }): object | null {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? ''
    if (optional && code === 'ENOENT') return null
    const reason = UNREADABLE[code] ?? `cannot be read (${code})`
    throw new AppError(
      'config_invalid',
      `The configuration file ${path} ${reason}; name it with --config or WEIR_CONFIG.`,
      { cause: error },
    )
  }
  const document = parseDocument(text)
  const [problem] = document.errors
  if (problem !== undefined) {
    throw new AppError('config_invalid', `${path} is no YAML: ${problem.message.trimEnd()}`)
  }
  const value: unknown = document.toJS() ?? {}
  if (isRecord(value)) return value
  throw new AppError(
    'config_invalid',
    `${path} must hold sections such as "server:", not ${Array.isArray(value) ? 'a list' : 'a bare value'}.`,
  )
}

function readEnvironment(environment: Environment): { values: object; problems: string[] } {
  const values: Record<string, unknown> = {}
  const problems: string[] = []
  const schema = readSchema()
  for (const [variable, text] of Object.entries(environment)) {
    if (text === undefined || !isConfigVariable(variable)) continue
    const found = findKey(schema, variable.slice('WEIR_'.length).split('__'))
    if (found === null) {
      problems.push(`✖ Environment variable ${variable} names no configuration key`)
      continue
    }
    let section = values
    for (const key of found.path.slice(0, -1)) {
      section = (section[key] ??= {}) as Record<string, unknown>
    }
    const leaf = found.path.at(-1) ?? ''
    section[leaf] = found.type === 'string' ? text : parseDocument(text).toJS()
  }
  return { values, problems }
}

/** `WEIR_URL`, `WEIR_KEY` and other options of commands have no section, hence no `__`. */
function isConfigVariable(name: string): boolean {
  return name.startsWith('WEIR_') && (name.includes('__') || name === 'WEIR_ROLES')
}

function readSchema(): KeySchema {
  return z.toJSONSchema(ConfigFile, { io: 'input' }) as KeySchema
}

/** Finds `['INGEST', 'BYTES_MAX']` as `ingest.bytesMax`. */
function findKey(schema: KeySchema, names: string[]): { path: string[]; type: string } | null {
  let at = schema
  const path: string[] = []
  for (const name of names) {
    const wanted = name.replaceAll('_', '').toLowerCase()
    const entry = Object.entries(at.properties ?? {}).find(([key]) => key.toLowerCase() === wanted)
    if (entry === undefined) return null
    path.push(entry[0])
    at = entry[1]
  }
  return at.properties === undefined ? { path, type: at.type ?? 'string' } : null
}

/** Lays one part over another: sections are joined, lists and values replaced. */
function merge(base: object, over: object): object {
  const result: Record<string, unknown> = { ...base }
  for (const [key, value] of Object.entries(over)) {
    if (value === undefined) continue
    const below = result[key]
    result[key] = isRecord(value) && isRecord(below) ? merge(below, value) : value
  }
  return result
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) deepFreeze(inner)
    Object.freeze(value)
  }
  return value
}

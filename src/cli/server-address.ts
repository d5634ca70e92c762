import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { readAdminToken } from '../config/admin-token-file.ts'
import type { Config } from '../config/config.ts'
import { loadConfig } from '../config/load.ts'
import { AppError } from '../core/errors.ts'
import type { CliContext } from './context.ts'

/** Where a command finds the server, and how it proves that it may. */
export interface ServerAddress {
  readonly url: string
  readonly token: string
}

/** What commands take from their options; everything else of them is ignored. */
export interface AddressOptions {
  readonly url?: string
  readonly token?: string
  readonly config?: string
  readonly data?: string
}

/** Adds the options that `addressOf` reads. */
export function addAddressOptions(command: Command): Command {
  return command
    .option('--url <url>', 'server to speak to (default: WEIR_URL, or this machine)')
    .option('--token <token>', 'admin token (default: WEIR_ADMIN_TOKEN, or the data directory’s)')
    .option('--config <file>', 'configuration that names the data directory and the port')
    .option('--data <directory>', 'data directory that holds the admin token')
}

/** Loads the configuration that a command's options name. */
export function configOf(context: CliContext, options: AddressOptions): Config {
  return loadConfig({
    path: options.config,
    environment: context.environment,
    flags: { data: { ...(options.data !== undefined && { directory: options.data }) } },
  })
}

/**
 * Finds the server and the admin token: options, then environment, then the configuration.
 *
 * Errors: `token_unknown` when no token is found, `parameter_invalid` for what is no URL.
 */
export function addressOf(context: CliContext, options: AddressOptions): ServerAddress {
  const { environment } = context
  const config = configOf(context, options)
  const url = options.url ?? environment['WEIR_URL'] ?? `http://127.0.0.1:${config.server.port}`
  checkUrl(url)
  const token =
    options.token ?? environment['WEIR_ADMIN_TOKEN'] ?? readAdminToken(config.data.directory)
  if (token !== undefined) return { url, token }
  throw noToken(config.data.directory)
}

function checkUrl(url: string): void {
  if (/^https?:\/\/[^/]/.test(url)) return
  throw new AppError(
    'parameter_invalid',
    `${url} is no address of a server; write it as http://127.0.0.1:8080.`,
    { field: 'url' },
  )
}

function noToken(directory: string): AppError {
  const isThere = existsSync(directory)
  const found = isThere
    ? `${directory} has no file admin-token that this user may read`
    : `there is no ${directory}; a first \`weir serve\` makes it, and the token in it`
  const lost = isThere
    ? ' When every one is lost, `weir admin-token reset` makes a new one on the machine of the server.'
    : ''
  return new AppError(
    'token_unknown',
    `No admin token: give --token or WEIR_ADMIN_TOKEN, or name the data directory with --data or --config (${found}).${lost}`,
  )
}

/** Sends one request to the server and returns the text of its answer. */
export async function request(
  address: ServerAddress,
  method: 'GET' | 'POST',
  path: string,
  body?: object,
): Promise<string> {
  return await (await requestAnswer(address, method, path, body)).text()
}

/** Sends one request to the server and returns its answer, of which nothing is read yet. */
export async function requestAnswer(
  { url, token }: ServerAddress,
  method: 'GET' | 'POST',
  path: string,
  body?: object,
): Promise<Response> {
  let response: Response
  try {
    response = await fetch(`${url.replace(/\/+$/, '')}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
  } catch (error) {
    throw new AppError(
      'overloaded',
      `Nothing answers at ${url}; is \`weir serve\` running there? Another address is named with --url or WEIR_URL.`,
      {
        cause: error,
      },
    )
  }
  if (response.ok) return response
  throw refusalOf(await response.text(), response.status)
}

function refusalOf(text: string, status: number): AppError {
  try {
    const { error } = JSON.parse(text) as { error: { message: string } }
    return new AppError('parameter_invalid', error.message)
  } catch (cause) {
    return new AppError('internal', `The server answered ${status}: ${text.slice(0, 200)}`, {
      cause,
    })
  }
}

import { readFileSync } from 'node:fs'
import { AppError } from '../core/errors.ts'
import type { Config } from './config.ts'

/** The mail server with its secrets read. */
export interface MailServer {
  readonly host: string
  readonly port: number
  readonly tls: 'starttls' | 'implicit' | 'none'
  /** PEM; null: the usual certificates are trusted. */
  readonly ca: string | null
  readonly user: string | null
  readonly password: string | null
  readonly from: string
}

/**
 * Reads what `smtp` of the configuration names; null: no mail server is configured.
 *
 * Errors: `config_invalid` for a file that cannot be read.
 */
export function readMailServer({ smtp }: Pick<Config, 'smtp'>): MailServer | null {
  const { host, from, port, tls } = smtp
  if (host === undefined || from === undefined) return null
  const { user = null, caFile, passwordFile } = smtp
  const ca = caFile === undefined ? null : readText(caFile, 'smtp.caFile')
  const password =
    passwordFile === undefined
      ? (smtp.password ?? null)
      : // Editors end files with a line break, which is no part of the password.
        readText(passwordFile, 'smtp.passwordFile').replace(/\r?\n$/, '')
  return { host, port, tls, ca, user, password, from }
}

function readText(path: string, key: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const message = `The file ${path}, which ${key} names, cannot be read.`
    throw new AppError('config_invalid', message, { cause: error })
  }
}

import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { AppError } from '../../core/errors.ts'

const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** A sealed text and the name of the master key that opens it. */
export interface Sealed {
  readonly keyId: string
  readonly text: string
}

/** Seals secrets under the current master key and opens what any known one has sealed. */
export interface MasterKeys {
  readonly currentId: string
  /**
   * Encrypts with AES-256-GCM. `owner` is bound in: sealed text moved to another row does not open.
   */
  seal(secret: string, owner: string): Sealed
  /** Errors: `config_invalid` when the key is unknown or the text was altered. */
  open(sealed: Sealed, owner: string): string
}

/**
 * Builds the master keys from base64 texts of 32 bytes; the first seals, the others only open, so
 * that a key can be replaced without losing what the former one sealed.
 *
 * Errors: `config_invalid` for a text that is no 32-byte key.
 */
export function createMasterKeys(base64Keys: readonly string[]): MasterKeys {
  const keys = base64Keys.map(parseKey)
  const current = keys[0]
  if (current === undefined) throw new AppError('config_invalid', 'No master key is configured.')
  return {
    currentId: current.id,
    seal: (secret, owner) => {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', current.key, nonce).setAAD(Buffer.from(owner))
      const body = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()])
      const text = Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64')
      return { keyId: current.id, text }
    },
    open: (sealed, owner) => {
      const key = keys.find((candidate) => candidate.id === sealed.keyId)
      if (key === undefined) {
        throw new AppError(
          'config_invalid',
          `A secret was sealed with master key ${sealed.keyId}, which is not configured; add that key after the current one.`,
        )
      }
      return openText(key.key, sealed.text, owner)
    },
  }
}

function openText(key: Buffer, text: string, owner: string): string {
  const bytes = Buffer.from(text, 'base64')
  const nonce = bytes.subarray(0, NONCE_BYTES)
  const decipher = createDecipheriv('aes-256-gcm', key, nonce)
    .setAAD(Buffer.from(owner))
    .setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES))
  const body = decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES))
  try {
    return Buffer.concat([body, decipher.final()]).toString('utf8')
  } catch (error) {
    throw new AppError('config_invalid', `The sealed secret of ${owner} was altered.`, {
      cause: error,
    })
  }
}

function parseKey(base64: string): { readonly id: string; readonly key: Buffer } {
  const key = Buffer.from(base64.trim(), 'base64')
  if (key.length !== KEY_BYTES) {
    throw new AppError(
      'config_invalid',
      `The master key must be ${KEY_BYTES} bytes in base64, this one has ${key.length}; make one with: openssl rand -base64 32`,
    )
  }
  return { id: createHash('sha256').update(key).digest('hex').slice(0, 16), key }
}

/**
 * Reads the master keys from their file, one per line, making one on the first start.
 *
 * The first line seals. To change the key, put the new one on a line before it and restart: every
 * secret is sealed anew, after which the old line can go.
 * Limits: the file is readable by its owner only. Whoever loses it loses every stored secret.
 */
export function openMasterKeyFile(path: string): MasterKeys {
  const lines = readOrCreate(path).split('\n')
  return createMasterKeys(lines.filter((line) => line.trim() !== ''))
}

function readOrCreate(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const text = `${randomBytes(KEY_BYTES).toString('base64')}\n`
  // Durable before anything is sealed with it.
  const file = openSync(path, 'wx', 0o600)
  writeSync(file, text)
  fsyncSync(file)
  closeSync(file)
  return text
}

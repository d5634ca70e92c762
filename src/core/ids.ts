import { randomBytes, randomUUID } from 'node:crypto'

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789'

/**
 * Makes a random identifier like `eip-4f9k2mq8`, the form both vendors' clients expect.
 *
 * Limits: 8 characters of a 36-letter alphabet (41 bits); stores reject a collision.
 */
export function newId(prefix: string, length = 8): string {
  let text = ''
  while (text.length < length) {
    for (const byte of randomBytes(length * 2)) {
      // 252 = 7 × 36: bytes above it would favour the first letters.
      if (byte < 252 && text.length < length) text += ALPHABET[byte % 36]
    }
  }
  return `${prefix}-${text}`
}

/** Makes a secret of `bytes` random bytes, base64url without padding. */
export function newSecret(bytes = 32): string {
  return randomBytes(bytes).toString('base64url')
}

/** Makes a lower-case UUID v4, the request id of both dialects. */
export function newRequestId(): string {
  return randomUUID()
}

/**
 * Tencent Cloud's older signature over all parameters: HmacSHA1 and HmacSHA256.
 *
 * Source: tencent.md §1.4, from cloud.tencent.com/document/api/1278/85304 and recorded requests of
 * the SDKs, read 2026-11-21.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { RawCall } from '../raw-call.ts'

/** Decoded parameters by name; the last of several with one name counts, for signing and use. */
export type FlatParameters = ReadonlyMap<string, string>

/** Signs parameters sent to a host; base64 with padding. Anything but HmacSHA256 means SHA-1. */
export function signV1(
  request: { readonly method: string; readonly host: string; readonly path: string },
  parameters: FlatParameters,
  secretKey: string,
): string {
  const isSha256 = parameters.get('SignatureMethod') === 'HmacSHA256'
  return createHmac(isSha256 ? 'sha256' : 'sha1', secretKey)
    .update(sourceText(request, parameters))
    .digest('base64')
}

/** Writes the text that is signed: method, host, path and the sorted, decoded parameters. */
export function sourceText(
  request: { readonly method: string; readonly host: string; readonly path: string },
  parameters: FlatParameters,
): string {
  const names = [...parameters.keys()].filter((name) => name !== 'Signature').sort(byBytes)
  const list = names.map((name) => `${name}=${parameters.get(name)}`).join('&')
  return `${request.method}${request.host}${request.path}?${list}`
}

/**
 * Tells whether the parameters were signed with the key, for any host the client may have meant.
 */
export function verifyV1(call: RawCall, parameters: FlatParameters, secretKey: string): boolean {
  // A client that forgets to encode '+' sends a space; base64 has none.
  const given = Buffer.from((parameters.get('Signature') ?? '').replaceAll(' ', '+'))
  const { method } = call
  for (const host of new Set(call.hosts.flatMap((name) => [name, name.replace(/:\d+$/, '')]))) {
    for (const path of new Set(['/', call.path])) {
      const expected = Buffer.from(signV1({ method, host, path }, parameters, secretKey))
      if (expected.length === given.length && timingSafeEqual(expected, given)) return true
    }
  }
  return false
}

function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

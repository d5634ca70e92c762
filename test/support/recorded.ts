import { readFileSync } from 'node:fs'
import type { RawCall } from '../../src/api/raw-call.ts'

/** A request of a real SDK as it went over the wire, with the vendor's published example key. */
export interface Recorded {
  readonly label: string
  readonly sdk: string
  readonly receivedMs: number
  readonly secretId: string
  readonly secretKey: string
  readonly scheme: string
  readonly canonicalRequest: string | undefined
  readonly stringToSign: string | undefined
  readonly signature: string | undefined
  readonly call: RawCall
}

/** Reads the recorded requests of a `.jsonl` file. */
export function readRecorded(url: URL): Recorded[] {
  const lines = readFileSync(url, 'utf8').trimEnd().split('\n')
  return lines.map((line) => {
    const row = JSON.parse(line) as Record<string, string | undefined> & { received_at: number }
    return {
      label: row['label'] ?? '',
      sdk: row['sdk'] ?? '',
      receivedMs: row.received_at * 1000,
      secretId: row['secret_id'] ?? '',
      secretKey: row['secret_key'] ?? '',
      scheme: row['scheme'] ?? '',
      canonicalRequest: row['canonical_request'],
      stringToSign: row['string_to_sign'],
      signature: row['signature'],
      call: parseHttp(Buffer.from(row['raw_base64'] ?? '', 'base64')),
    }
  })
}

/** Splits the bytes of one HTTP/1.1 request. */
export function parseHttp(bytes: Buffer): RawCall {
  const end = bytes.indexOf('\r\n\r\n')
  const [start = '', ...lines] = bytes.subarray(0, end).toString('latin1').split('\r\n')
  const [method = '', target = ''] = start.split(' ')
  const [path = '', query = ''] = target.split('?', 2)
  const headers: Record<string, string> = {}
  for (const line of lines) {
    const at = line.indexOf(':')
    headers[line.slice(0, at).toLowerCase()] = line.slice(at + 1).trim()
  }
  const hosts = [headers['host'] ?? '']
  return { method, path, query, headers, body: bytes.subarray(end + 4), hosts }
}

import { z } from 'zod'
import { AppError } from '../core/errors.ts'

/**
 * A chunk of a log file on the wire, from `weir ingest` to a running server: four bytes with the
 * length of the head (big-endian), the head as JSON, then the lines as they are.
 */
export const CHUNK_MEDIA_TYPE = 'application/vnd.weir.log-chunk'

/** Bytes of one request: a chunk's 32 MiB and what is kept of its oversize lines. */
export const CHUNK_REQUEST_BYTES_MAX = 64 << 20

const HEAD_BYTES_MAX = 16 << 20

const Count = z.int().min(0)
const Sha256 = z.string().regex(/^[0-9a-f]{64}$/)

const Head = z.strictObject({
  source: z.string().min(1).max(200),
  formatSpec: z.strictObject({
    format: z.string().max(16_384),
    domain: z.string().max(300).nullable(),
    clientFrom: z.enum(['remote_addr', 'x_forwarded_for']),
    timeZone: z.string().max(100).nullable(),
  }),
  fileId: z.string().min(1).max(100),
  headHash: Sha256,
  path: z.string().max(4096),
  offset: Count,
  length: Count,
  lines: Count,
  sha256: Sha256,
  oversize: z.array(z.strictObject({ offset: Count, length: Count, head: z.string() })),
})

/** A chunk as it travels. */
export type WireChunk = z.output<typeof Head> & { readonly body: Buffer }

/** Writes a chunk as the body of one request. */
export function encodeChunk({ body, ...head }: WireChunk): Buffer {
  const text = Buffer.from(JSON.stringify(head))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(text.length)
  return Buffer.concat([length, text, body])
}

/**
 * Reads the body of a request.
 *
 * Errors: body_malformed, naming the field.
 */
export function decodeChunk(bytes: Buffer): WireChunk {
  const length = bytes.length < 4 ? -1 : bytes.readUInt32BE(0)
  if (length < 2 || length > HEAD_BYTES_MAX || 4 + length > bytes.length) {
    throw new AppError('body_malformed', 'The chunk has no head of the length it names.')
  }
  const head = Head.safeParse(parseJson(bytes.toString('utf8', 4, 4 + length)))
  if (!head.success) {
    throw new AppError('body_malformed', `The head of the chunk: ${z.prettifyError(head.error)}`)
  }
  const body = bytes.subarray(4 + length)
  checkLines(body, head.data.lines)
  return { ...head.data, body }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new AppError('body_malformed', 'The head of the chunk is no JSON.', { cause: error })
  }
}

/** The journal numbers lines by what the chunk says: a wrong count would shift every later line. */
function checkLines(body: Buffer, lines: number): void {
  let found = 0
  for (let at = body.indexOf(10); at !== -1; at = body.indexOf(10, at + 1)) found += 1
  if (found === lines && (body.length === 0 || body.at(-1) === 10)) return
  throw new AppError('body_malformed', `The chunk says ${lines} lines and has ${found}.`, {
    field: 'lines',
  })
}

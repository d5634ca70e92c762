import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { Decompress } from 'fzstd'
import { AppError } from '../../core/errors.ts'
import { checkZstdFrames } from './zstd-frames.ts'

const gunzipAsync = promisify(gunzip)

/** Compressed bytes handed to the zstd decoder at a time, so that a bomb is noticed early. */
const ZSTD_STEP_BYTES = 64 << 10

/**
 * Undoes a request's content encoding.
 *
 * Errors: `body_malformed` for damaged or truncated data, `media_type_unsupported` for another
 * encoding, `too_large` when more than `bytesMax` come out.
 */
export async function decodeBody(
  body: Buffer,
  encoding: string | undefined,
  bytesMax: number,
): Promise<Buffer> {
  switch (encoding?.trim().toLowerCase() ?? '') {
    case '':
    case 'identity':
      return body
    case 'gzip':
    case 'x-gzip':
      return await gunzipBody(body, bytesMax)
    case 'zstd':
      return unzstdBody(body, bytesMax)
    default:
      throw new AppError(
        'media_type_unsupported',
        `Content encoding ${encoding} is not understood; send gzip, zstd or none.`,
      )
  }
}

function tooLarge(bytesMax: number): AppError {
  return new AppError('too_large', `The body is larger than ${bytesMax} bytes when decompressed.`)
}

async function gunzipBody(body: Buffer, bytesMax: number): Promise<Buffer> {
  try {
    return await gunzipAsync(body, { maxOutputLength: bytesMax })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(bytesMax)
    throw new AppError('body_malformed', 'The body is not valid gzip; was it cut short?', {
      cause: error,
    })
  }
}

function unzstdBody(body: Buffer, bytesMax: number): Buffer {
  checkZstdFrames(body)
  const parts: Buffer[] = []
  let total = 0
  const decoder = new Decompress((part) => {
    total += part.length
    if (total > bytesMax) throw tooLarge(bytesMax)
    parts.push(Buffer.from(part))
  })
  try {
    for (let start = 0; start < body.length; start += ZSTD_STEP_BYTES) {
      const end = Math.min(start + ZSTD_STEP_BYTES, body.length)
      decoder.push(body.subarray(start, end), end === body.length)
    }
  } catch (error) {
    if (error instanceof AppError) throw error
    throw new AppError('body_malformed', 'The body is not valid zstd.', {
      cause: error,
    })
  }
  return Buffer.concat(parts)
}

import { createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ReadableStream } from 'node:stream/web'
import { AppError } from '../core/errors.ts'
import { requestAnswer, type ServerAddress } from './server-address.ts'

const FILE_CALLS = new Set(['open', 'write', 'rename'])

/**
 * Downloads what the server answers into a file; the file appears under its name when it is whole.
 *
 * Shape: the answer's headers, and how many bytes there were.
 * Errors: the server's own; `parameter_invalid` when the file cannot be written; `overloaded` when
 * the connection breaks on the way.
 */
export async function download(
  address: ServerAddress,
  path: string,
  target: string,
): Promise<{ readonly headers: Headers; readonly bytes: number }> {
  const { headers, body } = await requestAnswer(address, 'GET', path)
  const partial = `${target}.partial`
  let bytes = 0
  try {
    const stream = Readable.fromWeb((body ?? new Blob([]).stream()) as ReadableStream<Uint8Array>)
    stream.on('data', (chunk: Uint8Array) => {
      bytes += chunk.length
    })
    await pipeline(stream, createWriteStream(partial))
    await rename(partial, target)
  } catch (error) {
    await rm(partial, { force: true })
    const { code, syscall } = error as NodeJS.ErrnoException
    // What the network breaks has a code, too, but is no call of the file system.
    if (code !== undefined && FILE_CALLS.has(syscall ?? '')) {
      const message = `${target} cannot be written (${code}). Name another file with -o.`
      throw new AppError('parameter_invalid', message, { cause: error })
    }
    throw new AppError('overloaded', `${target} could not be written completely; try again.`, {
      cause: error,
    })
  }
  return { headers, bytes }
}

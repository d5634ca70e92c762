import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import { z } from 'zod'
import { AppError } from '../../core/errors.ts'
import {
  CHUNK_MEDIA_TYPE,
  CHUNK_REQUEST_BYTES_MAX,
  decodeChunk,
  type WireChunk,
} from '../chunk-wire.ts'

/** Where chunks of log files go. */
export interface ChunkSink {
  candidates(headHash: string): Promise<
    readonly {
      readonly fileId: string
      readonly chunks: readonly {
        readonly offset: number
        readonly length: number
        readonly lines: number
        readonly sha256: string
      }[]
    }[]
  >
  append(chunk: WireChunk): Promise<{ readonly batchId: string }>
  /** Rejects with not_found for a batch that was never given out. */
  outcome(batchId: string): Promise<{
    readonly accepted: number
    readonly duplicate: number
    readonly rejected: Readonly<Record<string, number>>
    readonly bytesOut: bigint
  }>
}

/** What the endpoints work with. */
export interface IngestFilesDeps {
  readonly sink: ChunkSink
  /** Throws parameter_invalid for a format that cannot be read: such a chunk must not be kept. */
  readonly checkFormat: (spec: WireChunk['formatSpec']) => unknown
}

/** Longest wait of `GET …/batches/{id}`; the client asks again. */
const WAIT_MS_MAX = 25_000

const HeadHash = z.strictObject({ headHash: z.string().regex(/^[0-9a-f]{64}$/) })
const Wait = z.object({ waitMs: z.coerce.number().int().min(0).max(WAIT_MS_MAX).default(0) })

/**
 * Adds what `weir ingest` needs of a running server below `/admin/v1/ingest`.
 *
 * Shape: `POST candidates` tells what is known of a file by its first line; `POST chunks` takes a
 * chunk in and answers once it is durable; `GET batches/{id}?waitMs=` answers 200 with the outcome,
 * or 202.
 * Errors: body_malformed, too_large, overloaded (with Retry-After). Who may call is the mount's
 * concern.
 */
export function createIngestFilesApi(deps: IngestFilesDeps): FastifyPluginAsync {
  return async (server: FastifyInstance) => {
    server.addContentTypeParser(
      CHUNK_MEDIA_TYPE,
      { parseAs: 'buffer', bodyLimit: CHUNK_REQUEST_BYTES_MAX },
      (_, body, done) => done(null, body),
    )
    server.post('/admin/v1/ingest/candidates', async (request) => {
      const { headHash } = parse(HeadHash, request.body)
      return { files: await deps.sink.candidates(headHash) }
    })
    server.post(
      '/admin/v1/ingest/chunks',
      { bodyLimit: CHUNK_REQUEST_BYTES_MAX },
      async (request, reply) => {
        if (!Buffer.isBuffer(request.body)) {
          throw new AppError('media_type_unsupported', `Send the chunk as ${CHUNK_MEDIA_TYPE}.`)
        }
        const chunk = decodeChunk(request.body)
        deps.checkFormat(chunk.formatSpec)
        return reply.status(201).send(await deps.sink.append(chunk))
      },
    )
    server.get<{ Params: { id: string } }>(
      '/admin/v1/ingest/batches/:id',
      async (request, reply) => {
        const { waitMs } = parse(Wait, request.query)
        const outcome = await within(deps.sink.outcome(request.params.id), waitMs)
        if (outcome === undefined) return reply.status(202).send({ state: 'accepted' })
        const { bytesOut, ...counts } = outcome
        return { state: 'loaded', ...counts, bytesOut: bytesOut.toString() }
      },
    )
  }
}

function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new AppError('parameter_invalid', z.prettifyError(parsed.error))
}

/** The value if it comes in time, else undefined. */
async function within<Value>(value: Promise<Value>, ms: number): Promise<Value | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined)
  })
  try {
    return await Promise.race([value, late])
  } finally {
    clearTimeout(timer)
    // It may still fail when nobody waits for it any more.
    value.catch(() => undefined)
  }
}

import { z } from 'zod'
import { CHUNK_MEDIA_TYPE, encodeChunk } from '../api/chunk-wire.ts'
import { AppError, ERRORS, type ErrorCode } from '../core/errors.ts'
import type { ChunkOutcome, KnownFile, LogSink } from '../sources/access-log/sink.ts'

/** How long the server may hold one question for an outcome. */
const OUTCOME_WAIT_MS = 20_000
/** Longest time for one request; a chunk is fsynced within it. */
const REQUEST_TIMEOUT_MS = 120_000

const Candidates = z.object({
  files: z.array(
    z.object({
      fileId: z.string(),
      chunks: z.array(
        z.object({ offset: z.number(), length: z.number(), lines: z.number(), sha256: z.string() }),
      ),
    }),
  ),
})
const Appended = z.object({ batchId: z.string() })
const Outcome = z.discriminatedUnion('state', [
  z.object({ state: z.literal('accepted') }),
  z.object({
    state: z.literal('loaded'),
    accepted: z.number(),
    duplicate: z.number(),
    rejected: z.record(z.string(), z.number()),
    bytesOut: z.string().transform(BigInt),
  }),
])
const Failure = z.object({ error: z.object({ code: z.string(), message: z.string() }) })

/** An admin endpoint of a running server. */
export interface AdminEndpoint {
  /** Such as `http://127.0.0.1:8080`. */
  readonly url: string
  readonly token: string
}

/** Sends chunks to a running server. Errors: overloaded when it cannot take more now. */
export function createRemoteSink(endpoint: AdminEndpoint): LogSink {
  return {
    async candidates(headHash): Promise<readonly KnownFile[]> {
      const answer = await callAdmin(endpoint, 'POST', '/ingest/candidates', { headHash })
      return read(Candidates, answer).files
    },
    async append(chunk) {
      const body = encodeChunk({ ...chunk, oversize: [...chunk.oversize] })
      return read(
        Appended,
        await sendAdmin(endpoint, 'POST', '/ingest/chunks', body, CHUNK_MEDIA_TYPE),
      )
    },
    async outcome(batchId): Promise<ChunkOutcome> {
      const path = `/ingest/batches/${encodeURIComponent(batchId)}?waitMs=${OUTCOME_WAIT_MS}`
      for (;;) {
        const answer = read(Outcome, await callAdmin(endpoint, 'GET', path))
        if (answer.state === 'loaded') return answer
      }
    },
  }
}

/**
 * Calls the admin API with JSON.
 *
 * Errors: the server's own, by code; overloaded when it cannot be reached in a way that says "not
 * now"; not_found when nothing listens there.
 */
export async function callAdmin(
  endpoint: AdminEndpoint,
  method: 'GET' | 'POST',
  path: string,
  body?: object,
): Promise<unknown> {
  const text = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
  return sendAdmin(endpoint, method, path, text, 'application/json')
}

async function sendAdmin(
  endpoint: AdminEndpoint,
  method: 'GET' | 'POST',
  path: string,
  body: Buffer | undefined,
  type: string,
): Promise<unknown> {
  const url = `${endpoint.url.replace(/\/+$/, '')}/admin/v1${path}`
  const response = await request(url, {
    method,
    headers: {
      authorization: `Bearer ${endpoint.token}`,
      ...(body === undefined ? {} : { 'content-type': type }),
    },
    ...(body === undefined ? {} : { body: new Uint8Array(body) }),
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
  })
  const text = await response.text()
  if (response.ok) return parseAnswer(text, url)
  throw failureOf(response, text)
}

async function request(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init)
  } catch (error) {
    throw new AppError(
      'timeout',
      `No answer from ${url}. Is the server running there? What was durable is skipped when you run this again.`,
      { cause: error },
    )
  }
}

function parseAnswer(text: string, url: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new AppError('internal', `${url} does not answer like a Weir server.`, { cause: error })
  }
}

function failureOf(response: Response, text: string): AppError {
  const failure = Failure.safeParse(tryJson(text))
  const retryAfterSeconds = Number(response.headers.get('retry-after') ?? Number.NaN)
  const retry = Number.isFinite(retryAfterSeconds) ? { retryAfterSeconds } : {}
  if (failure.success) {
    const { code, message } = failure.data.error
    return new AppError(code in ERRORS ? (code as ErrorCode) : 'internal', message, retry)
  }
  const code = response.status === 503 || response.status === 429 ? 'overloaded' : 'internal'
  return new AppError(code, `The server answered ${response.status}: ${text.slice(0, 200)}`, retry)
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function read<Schema extends z.ZodType>(schema: Schema, answer: unknown): z.output<Schema> {
  const parsed = schema.safeParse(answer)
  if (parsed.success) return parsed.data
  throw new AppError('internal', 'The server answers in another version of this protocol.', {
    cause: parsed.error,
  })
}

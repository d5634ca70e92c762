import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Source } from '../../catalog/model.ts'
import { AppError } from '../../core/errors.ts'
import { METERS, METER_NAMES, type MeterName } from '../../meters/meter.ts'
import { decodeBody } from './decode.ts'
import { noteRequest, parseSequence, type ReportedCoverage, takeHeartbeat } from './heartbeat.ts'
import { parseUsage } from './parse.ts'

/** A loaded frame, as far as a sender is told. */
export interface LoadedUsage {
  readonly source: string
  readonly outcome: {
    readonly accepted: number
    readonly duplicate: number
    readonly lines: number
    readonly rejected: Readonly<Record<string, number>>
  }
}

/** A refused record: its line of the body as sent (or its place in the array), from 1, and why. */
export interface RefusedLine {
  readonly line: number
  readonly reason: string
}

export interface UsageHttpDeps {
  readonly ingest: {
    acceptUsage(request: {
      source: string
      meter: MeterName
      onlyAccount: string | null
      body: Buffer
      lines: number
      blankLines: number
      idempotencyKey: string | null
    }): Promise<{ seq: number; isRepeat: boolean }>
    loaded(seq: number, timeoutMs: number): Promise<LoadedUsage | undefined>
    state(
      seq: number,
    ): Promise<{ state: 'accepted' } | { state: 'loaded'; frame: LoadedUsage } | undefined>
    /** The source that sent a frame which is not loaded yet. */
    sourceOf(seq: number): string | undefined
  }
  /** Refused lines of a loaded frame, ascending, at most `limit`. */
  readonly refused: (seq: number, limit: number) => Promise<readonly RefusedLine[]>
  readonly sourceOfToken: (token: string) => Promise<Source | undefined>
  /** Told after an answer that accepts usage was sent. */
  readonly onAcked: () => void
  /** Absent: numbers are ignored, and there are no heartbeats. */
  readonly coverage?: ReportedCoverage
}

export interface UsageHttpConfig {
  readonly bodyBytesMax: number
  /** Bytes of request bodies, compressed and not, that may be in memory at the same time. */
  readonly inFlightBytesMax: number
  /** Longest wait of `?wait=loaded` before the answer is 202. */
  readonly waitMsMax: number
}

/** Refused lines listed in one answer. */
export const REFUSED_LINES_MAX = 1000

const HEARTBEAT_BYTES_MAX = 4096

/** Longest `Idempotency-Key`. */
const KEY_LENGTH_MAX = 255

/** Adds `POST /v1/usage/{meter}`, `POST /v1/heartbeat` and `GET /v1/batches/{id}` to a server. */
export function createUsageHttp(config: UsageHttpConfig, deps: UsageHttpDeps): FastifyPluginAsync {
  let inFlightBytes = 0
  const senders = new WeakMap<FastifyRequest, Source>()
  const reserve = (bytes: number): (() => void) => {
    if (inFlightBytes + bytes > config.inFlightBytesMax) {
      throw new AppError('rate_limited', 'Too much usage is being sent at the same time.', {
        retryAfterSeconds: 1,
      })
    }
    inFlightBytes += bytes
    return () => {
      inFlightBytes -= bytes
    }
  }
  return async (server: FastifyInstance) => {
    server.removeAllContentTypeParsers()
    server.addContentTypeParser(
      '*',
      { parseAs: 'buffer', bodyLimit: config.bodyBytesMax },
      (_request, body, done) => done(null, body),
    )
    server.post<{ Params: { meter: string }; Querystring: { wait?: string } }>(
      '/v1/usage/:meter',
      {
        bodyLimit: config.bodyBytesMax,
        // Who may not send is told so before the body is read.
        onRequest: async (request) => {
          senders.set(request, await authenticate(request, deps))
        },
      },
      async (request, reply) => {
        const source = senders.get(request) ?? (await authenticate(request, deps))
        const meter = parseMeter(request.params.meter, source)
        const raw = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0)
        const releases = [reserve(raw.length)]
        try {
          const encoding = request.headers['content-encoding']
          const body = await decodeBody(raw, encoding, config.bodyBytesMax)
          if (body !== raw) releases.push(reserve(body.length))
          return await takeIn(request, reply, { source, meter, body }, config, deps)
        } finally {
          for (const release of releases) release()
        }
      },
    )
    const { coverage } = deps
    if (coverage !== undefined) {
      server.post('/v1/heartbeat', { bodyLimit: HEARTBEAT_BYTES_MAX }, async (request) => {
        const source = await authenticate(request, deps)
        return await takeHeartbeat(coverage, source.name, request)
      })
    }
    server.get<{ Params: { id: string } }>('/v1/batches/:id', async (request) => {
      const source = await authenticate(request, deps)
      return await describeBatch(request.params.id, source, deps)
    })
  }
}

async function authenticate(request: FastifyRequest, deps: UsageHttpDeps): Promise<Source> {
  const token = /^Bearer\s+(\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
  if (token === undefined) {
    throw new AppError(
      'signature_missing',
      'Send the ingest token of your source as `Authorization: Bearer <token>`.',
    )
  }
  const source = await deps.sourceOfToken(token)
  if (source === undefined) {
    throw new AppError('token_unknown', 'This ingest token is unknown or was revoked.')
  }
  return source
}

function parseMeter(name: string, source: Source): MeterName {
  const meter = METER_NAMES.find((known) => known === name)
  if (meter === undefined) {
    throw new AppError(
      'not_found',
      `There is no meter ${name}; meters are ${Object.keys(METERS).join(', ')}.`,
      { field: 'meter' },
    )
  }
  if (!source.meters.includes(meter)) {
    throw new AppError('forbidden', `Source ${source.name} may not report ${meter} usage.`)
  }
  return meter
}

async function takeIn(
  request: FastifyRequest<{ Querystring: { wait?: string } }>,
  reply: FastifyReply,
  input: { source: Source; meter: MeterName; body: Buffer },
  config: UsageHttpConfig,
  deps: UsageHttpDeps,
): Promise<unknown> {
  const { source, meter } = input
  const number = parseSequence(request)
  const parsed = await parseUsage(input.body, request.headers['content-type'], meter)
  const { seq, isRepeat } = await deps.ingest.acceptUsage({
    source: source.name,
    meter,
    onlyAccount: source.accountId,
    ...parsed,
    idempotencyKey: parseKey(request.headers['idempotency-key']),
  })
  await noteRequest(deps.coverage, source.name, number)
  reply.raw.once('finish', deps.onAcked)
  if (request.query.wait === 'loaded') {
    const frame = await deps.ingest.loaded(seq, config.waitMsMax)
    if (frame !== undefined) return await describeOutcome(seq, frame, isRepeat, deps)
  }
  reply.code(202)
  return { batch: String(seq), state: 'accepted', lines: parsed.lines, repeated: isRepeat }
}

function parseKey(value: string | string[] | undefined): string | null {
  if (value === undefined) return null
  const key = Array.isArray(value) ? value.join(',') : value
  if (key === '' || key.length > KEY_LENGTH_MAX) {
    throw new AppError(
      'parameter_invalid',
      `Idempotency-Key must have 1 to ${KEY_LENGTH_MAX} characters.`,
      { field: 'Idempotency-Key' },
    )
  }
  return key
}

// A repeated request brought nothing new: everything its first time accepted is a duplicate now.
async function describeOutcome(
  seq: number,
  { outcome }: LoadedUsage,
  isRepeat: boolean,
  deps: UsageHttpDeps,
): Promise<object> {
  const count = Object.values(outcome.rejected).reduce((sum, lines) => sum + lines, 0)
  const rejected = count === 0 ? [] : await deps.refused(seq, REFUSED_LINES_MAX)
  return {
    batch: String(seq),
    state: 'loaded',
    lines: outcome.lines,
    accepted: isRepeat ? 0 : outcome.accepted,
    duplicate: isRepeat ? outcome.duplicate + outcome.accepted : outcome.duplicate,
    rejectedTotal: count,
    rejectedByReason: outcome.rejected,
    rejected,
  }
}

async function describeBatch(id: string, source: Source, deps: UsageHttpDeps): Promise<object> {
  const unknown = new AppError('not_found', `There is no batch ${id} of source ${source.name}.`)
  const seq = /^\d{1,16}$/.test(id) ? Number(id) : Number.NaN
  if (!Number.isSafeInteger(seq)) throw unknown
  const state = await deps.ingest.state(seq)
  if (state === undefined) throw unknown
  if (state.state === 'accepted') {
    if (deps.ingest.sourceOf(seq) !== source.name) throw unknown
    return { batch: id, state: 'accepted' }
  }
  if (state.frame.source !== source.name) throw unknown
  return await describeOutcome(seq, state.frame, false, deps)
}

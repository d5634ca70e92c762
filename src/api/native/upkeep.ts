import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import { z } from 'zod'
import { AppError } from '../../core/errors.ts'

/** A rejected line as operators see it. */
export interface RejectedView {
  readonly frame: number
  readonly line: number
  readonly receivedMs: number
  readonly source: string
  readonly meter: string
  readonly reason: string
  readonly detail: string
  readonly raw: Buffer
}

interface Filter {
  readonly source?: string
  readonly meter?: string
  readonly detail?: string
  readonly reasons?: readonly string[]
}

/** What the upkeep routes need, as the composition root offers it. */
export interface UpkeepDeps {
  readonly list: (
    filter: Filter,
    page: { limit: number; after: { frame: number; line: number } | null },
  ) => Promise<readonly RejectedView[]>
  readonly count: (
    filter: Filter,
  ) => Promise<readonly { source: string; meter: string; reason: string; lines: number }[]>
  readonly replay: (request: {
    source?: string
    meter?: string
    detail?: string
    spec?: {
      format: string
      domain: string | null
      clientFrom: 'remote_addr' | 'x_forwarded_for'
      timeZone: string | null
    }
  }) => Promise<{ lines: number; accepted: number; duplicate: number; stillRejected: number }>
  readonly audit: () => Promise<{
    checks: number
    findings: readonly { check: string; expected: bigint; actual: bigint }[]
  }>
  readonly totals: () => Promise<readonly object[]>
}

const ListQuery = z.object({
  source: z.string().optional(),
  meter: z.string().optional(),
  reason: z.string().optional(),
  detail: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: z
    .string()
    .regex(/^\d{1,16}\.\d{1,16}$/)
    .optional(),
})

const ReplayBody = z.strictObject({
  source: z.string().optional(),
  meter: z.string().optional(),
  detail: z.string().optional(),
  format: z.string().optional(),
  domain: z.string().nullable().default(null),
  clientFrom: z.enum(['remote_addr', 'x_forwarded_for']).default('remote_addr'),
  timeZone: z.string().nullable().default(null),
})

function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  throw new AppError('parameter_invalid', z.prettifyError(parsed.error))
}

function present<Values extends object>(values: Values): Values {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined),
  ) as Values
}

/** Adds rejected lines, their replay, totals and the audit below `/admin/v1`. */
export function createUpkeepApi(deps: UpkeepDeps): FastifyPluginAsync {
  return async (server: FastifyInstance) => {
    server.get('/admin/v1/rejected', async (request) => {
      const { limit, cursor, reason, ...filter } = parse(ListQuery, request.query)
      const [frame = 0, line = 0] = (cursor ?? '').split('.').map(Number)
      const wanted = present({ ...filter, ...(reason !== undefined && { reasons: [reason] }) })
      const after = cursor === undefined ? null : { frame, line }
      const lines = await deps.list(wanted as Filter, { limit, after })
      const last = lines.at(-1)
      return {
        items: lines.map((item) => ({ ...item, raw: item.raw.toString('utf8') })),
        counts: cursor === undefined ? await deps.count(wanted as Filter) : undefined,
        // A page may be cut short by its size, so only an empty one is the last.
        nextCursor: last === undefined ? null : `${last.frame}.${last.line}`,
      }
    })
    server.post('/admin/v1/rejected/replay', async (request) => {
      const { format, domain, clientFrom, timeZone, ...filter } = parse(
        ReplayBody,
        request.body ?? {},
      )
      const spec = format === undefined ? undefined : { format, domain, clientFrom, timeZone }
      return await deps.replay(
        present({ ...filter, ...(spec !== undefined && { spec }) }) as Filter,
      )
    })
    server.get('/admin/v1/totals', async () => ({ items: await deps.totals() }))
    server.post('/admin/v1/audit', async () => {
      const { checks, findings } = await deps.audit()
      return {
        checks,
        findings: findings.map(({ check, expected, actual }) => ({
          check,
          expected: expected.toString(),
          actual: actual.toString(),
        })),
      }
    })
  }
}

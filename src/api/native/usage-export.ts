import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import { exportUsage, type ExportUsageDeps } from '../operations/export-usage.ts'

/** Parquet as IANA registered it. */
const PARQUET = 'application/vnd.apache.parquet'

/**
 * Adds `GET /v1/usage/export`, a Parquet file; the caller's admin token is checked by whoever
 * mounts it.
 */
export function createUsageExportApi(deps: ExportUsageDeps): FastifyPluginAsync {
  return async (server: FastifyInstance) => {
    server.get('/v1/usage/export', async (request, reply) => {
      const { name, content, startMs, endMs, closedDays } = await exportUsage(request.query, deps)
      reply.header('content-disposition', `attachment; filename="${name}"`)
      reply.header('x-weir-start', new Date(startMs).toISOString())
      reply.header('x-weir-end', new Date(endMs).toISOString())
      if (closedDays !== null) reply.header('x-weir-closed-days', String(closedDays))
      return reply.type(PARQUET).send(content)
    })
  }
}

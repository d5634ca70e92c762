import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import type { PayerFinder } from '../operations/book-query.ts'
import { formatCsv, formatJson, parseQuery } from '../operations/query-usage.ts'
import type { UsageReader } from '../operations/ports.ts'

/** Adds `POST /v1/query`; the caller's admin token is checked by whoever mounts it. */
export function createQueryApi(deps: {
  readonly reader: Pick<UsageReader, 'query'>
  readonly payer: PayerFinder
}): FastifyPluginAsync {
  return async (server: FastifyInstance) => {
    server.post<{ Querystring: { format?: string } }>('/v1/query', async (request, reply) => {
      const asked = parseQuery(request.body)
      // An account that is not there must not look like one without usage.
      const { id: accountId } = await deps.payer(asked.accountId)
      const query = { ...asked, accountId }
      const points = await deps.reader.query(query)
      if (request.query.format === 'csv' || request.headers.accept === 'text/csv') {
        reply.type('text/csv; charset=utf-8')
        return formatCsv(query, points)
      }
      reply.type('application/json')
      return formatJson(query, points)
    })
  }
}

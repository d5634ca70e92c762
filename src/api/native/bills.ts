import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import { z } from 'zod'
import { parseInput } from '../../catalog/input.ts'
import { formatExact } from '../json-text.ts'
import { closeBooks, type CloseBooksDeps } from '../operations/close-books.ts'
import { exportBill, type ExportBillDeps } from '../operations/export-bill.ts'
import { listBills, type ListBillsDeps } from '../operations/list-bills.ts'
import { listDays, type ListDaysDeps } from '../operations/list-days.ts'
import { readBill, readBillDays } from '../operations/read-bill.ts'

/** What the routes of bills need. */
export interface BillsDeps
  extends ListBillsDeps, CloseBooksDeps, ExportBillDeps, Omit<ListDaysDeps, 'desk'> {
  readonly desk: ListBillsDeps['desk'] &
    CloseBooksDeps['desk'] &
    Parameters<typeof readBillDays>[1] & { verify(id: string): Promise<object> }
  readonly explain: (id: string, line: number) => Promise<object>
}

const LineNumber = z.strictObject({ id: z.string(), line: z.coerce.number().int().positive() })

type ById = { Params: { id: string } }

/**
 * Adds bills and the closing of books under `/v1/bills` and `/v1/books`; the caller's admin token
 * is checked by whoever mounts it.
 */
export function createBillsApi(deps: BillsDeps): FastifyPluginAsync {
  return async (server: FastifyInstance) => {
    server.get('/v1/bills', (request) => listBills(request.query, deps))
    server.get<ById>('/v1/bills/:id', ({ params }) => readBill(params.id, deps.desk))
    server.get<ById>('/v1/bills/:id/days', ({ params }) => readBillDays(params.id, deps.desk))
    server.post<ById>('/v1/bills/:id/verify', ({ params }) => deps.desk.verify(params.id))
    server.get('/v1/bills/:id/lines/:line/explanation', async (request, reply) => {
      const { id, line } = parseInput(LineNumber, request.params)
      reply.type('application/json')
      return formatExact(await deps.explain(id, line))
    })
    server.get<ById>('/v1/bills/:id/export', async ({ params, query }, reply) => {
      const { name, type, content } = await exportBill(params.id, query, deps)
      reply.header('content-disposition', `attachment; filename="${name}"`)
      return reply.type(type).send(content)
    })
    server.get('/v1/books/days', (request) => listDays(request.query, deps))
    server.post('/v1/books/close', (request) => closeBooks(request.body, deps))
  }
}

import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import { formatExact } from '../json-text.ts'
import { type BalanceDeps, readBalance } from '../operations/read-balance.ts'
import { readForecast, type ReadForecastDeps } from '../operations/read-forecast.ts'
import { answerWhatIf, type WhatIfDeps } from '../operations/what-if.ts'

/**
 * Adds `GET /v1/balance`, `GET /v1/forecast` and `POST /v1/whatif`; the caller's admin token is
 * checked by whoever mounts it.
 */
export function createForecastApi(
  deps: BalanceDeps & ReadForecastDeps & WhatIfDeps,
): FastifyPluginAsync {
  return async (server: FastifyInstance) => {
    server.get('/v1/balance', async (request, reply) => {
      reply.type('application/json')
      return formatExact(await readBalance(request.query, deps))
    })
    server.get('/v1/forecast', async (request, reply) => {
      reply.type('application/json')
      return formatExact(await readForecast(request.query, deps))
    })
    server.post('/v1/whatif', async (request, reply) => {
      reply.type('application/json')
      return formatExact(await answerWhatIf(request.body, deps))
    })
  }
}

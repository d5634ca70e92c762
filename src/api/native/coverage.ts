import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import { askCoverage, type AskCoverageDeps } from '../operations/ask-coverage.ts'

/** Adds `GET /v1/coverage`; the caller's admin token is checked by whoever mounts it. */
export function createCoverageApi(deps: AskCoverageDeps): FastifyPluginAsync {
  return async (server: FastifyInstance) => {
    server.get('/v1/coverage', async (request) => await askCoverage(request.query, deps))
  }
}

import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import { formatExact } from '../json-text.ts'
import { tryRules, type TryRulesDeps } from '../operations/try-rules.ts'

/** Adds `POST /v1/rules/try`; the caller's admin token is checked by whoever mounts it. */
export function createRulesApi(deps: TryRulesDeps): FastifyPluginAsync {
  return async (server: FastifyInstance) => {
    server.post('/v1/rules/try', async (request, reply) => {
      reply.type('application/json')
      return formatExact(await tryRules(request.body, deps))
    })
  }
}

import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import { adminRefusal } from '../admin-refusal.ts'

/** Mounts plugins that only holders of an admin token may use. */
export function createGuarded(
  isAdmin: (token: string) => Promise<boolean>,
  plugins: readonly FastifyPluginAsync[],
): FastifyPluginAsync {
  return async (server: FastifyInstance) => {
    // Before the body is read: strangers cannot make us parse anything.
    server.addHook('onRequest', async (request) => {
      const token = /^Bearer +(\S{1,200})$/i.exec(request.headers.authorization ?? '')?.[1]
      if (token !== undefined && (await isAdmin(token))) return
      throw adminRefusal(token !== undefined)
    })
    for (const plugin of plugins) await server.register(plugin)
  }
}

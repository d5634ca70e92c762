import { fastify } from 'fastify'
import { startStopwatch } from '../support/stopwatch.ts'
import { BARE } from './scripts.ts'

// The yardstick: the same framework and the same bytes in and out, and nothing in between.
await BARE.act(async ({ answer }, parent) => {
  const server = fastify()
  const body = Buffer.from(answer)
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, content, done) =>
    done(null, content),
  )
  server.post('/', (_request, reply) => {
    void reply.header('content-type', 'application/json').send(body)
  })
  const url = await server.listen({ port: 0, host: '127.0.0.1' })
  const watch = startStopwatch()
  parent.ready({ port: Number(new URL(url).port) })
  await parent.stopped
  const time = watch.read()
  await server.close()
  return time
})

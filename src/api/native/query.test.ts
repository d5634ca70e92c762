import Fastify from 'fastify'
import { expect, test } from 'vitest'
import { AppError, toAppError } from '../../core/errors.ts'
import type { UsageQuery } from '../../meters/query.ts'
import { createQueryApi } from './query.ts'

async function ask(account: string) {
  const asked: UsageQuery[] = []
  const app = Fastify()
  app.setErrorHandler((error, _request, reply) => reply.status(400).send(toAppError(error).code))
  await app.register(
    createQueryApi({
      reader: {
        query: async (query) => {
          asked.push(query)
          return []
        },
      },
      payer: async (ref) => {
        if (ref !== 'acme') throw new AppError('not_found', `account "${ref}" does not exist.`)
        return { id: 'acc-a1', zone: 'Asia/Shanghai' }
      },
    }),
  )
  const payload = { account, meter: 'cdn', start: 0, end: 300 }
  const { body } = await app.inject({ method: 'POST', url: '/v1/query', payload })
  return { body, asked: asked.map(({ accountId }) => accountId) }
}

test('usage is asked of the account that was named, by its id', async () => {
  expect(await ask('acme')).toEqual({ body: '{"rows":[]}', asked: ['acc-a1'] })
})

test('an account that is not there is an error, and not one without usage', async () => {
  expect(await ask('acne')).toEqual({ body: 'not_found', asked: [] })
})

import { expect, test } from 'vitest'
import { buildOpenApi } from './openapi.ts'
import { ADMIN_ROUTES } from './routes.ts'

test('the committed document is what the server answers', async () => {
  const text = `${JSON.stringify(buildOpenApi(ADMIN_ROUTES), null, 2)}\n`
  await expect(text).toMatchFileSnapshot('../../../docs/reference/openapi.json')
})

test('no two operations have the same name, and every list is paged', () => {
  const names = ADMIN_ROUTES.map((route) => `${route.method} ${route.path}`)
  expect(new Set(names).size).toBe(names.length)
  const lists = ADMIN_ROUTES.filter((route) => route.method === 'GET' && /s$|log$/.test(route.path))
  const unpaged = lists.filter((route) => !('cursor' in route.query.shape))
  // A resource's history is short and complete.
  expect(unpaged.map((route) => route.path)).toEqual(['/resources/{id}/versions'])
})

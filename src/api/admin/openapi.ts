import { z } from 'zod'
import { ERRORS } from '../../core/errors.ts'
import type { AdminRoute } from './route.ts'

type Json = Record<string, unknown>

const ERROR_SCHEMA = {
  type: 'object',
  required: ['error'],
  properties: {
    error: {
      type: 'object',
      required: ['code', 'message'],
      properties: {
        code: { enum: Object.keys(ERRORS) },
        message: { type: 'string' },
        field: { type: 'string', description: 'The first field at fault.' },
        problems: {
          type: 'array',
          description: 'Everything that is wrong with the input.',
          items: {
            type: 'object',
            required: ['field', 'message'],
            properties: { field: { type: 'string' }, message: { type: 'string' } },
          },
        },
      },
    },
  },
}

/** Writes the OpenAPI 3.1 document of the operations; what serves them is what documents them. */
export function buildOpenApi(routes: readonly AdminRoute[]): Json {
  const paths: Record<string, Json> = {}
  const schemas: Record<string, Json> = { Error: ERROR_SCHEMA }
  for (const route of routes) {
    const item = (paths[route.path] ??= {})
    item[route.method.toLowerCase()] = operationOf(route, schemas)
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Weir admin API',
      version: '1',
      description:
        'Brands, accounts, keys, resources, packages and sources. Times are ISO 8601, volumes bytes as decimal text.',
    },
    servers: [{ url: '/admin/v1' }],
    security: [{ adminToken: [] }],
    paths,
    components: {
      securitySchemes: { adminToken: { type: 'http', scheme: 'bearer' } },
      schemas,
    },
  }
}

function operationOf(route: AdminRoute, schemas: Record<string, Json>): Json {
  const parameters = [...pathParameters(route.path), ...queryParameters(route.query)]
  return {
    operationId: operationId(route),
    tags: [route.path.split('/')[1]],
    summary: route.summary,
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(route.body === null
      ? {}
      : {
          requestBody: { required: true, content: jsonContent(toJsonSchema(route.body, 'input')) },
        }),
    responses: {
      [route.status]: {
        description: route.status === 201 ? 'Made.' : 'Done.',
        content: jsonContent(shareSchemas(toJsonSchema(route.answer, 'output'), schemas)),
      },
      default: {
        description: 'Refused.',
        content: jsonContent({ $ref: '#/components/schemas/Error' }),
      },
    },
  }
}

const VERBS = { GET: 'get', POST: 'create', PATCH: 'update', DELETE: 'delete' } as const

/** `GET /accounts/{id}/sub-accounts` → `getAccountsIdSubAccounts`. */
function operationId(route: AdminRoute): string {
  const words = route.path.match(/\w+/g) ?? []
  const name = words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join('')
  return `${VERBS[route.method]}${name}`
}

function pathParameters(path: string): Json[] {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1])
  return names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } }))
}

function queryParameters(query: z.ZodObject): Json[] {
  const schema = toJsonSchema(query, 'input')
  const required = new Set((schema['required'] as string[] | undefined) ?? [])
  const properties = (schema['properties'] as Record<string, Json> | undefined) ?? {}
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: 'query',
    required: required.has(name),
    schema: property,
  }))
}

function jsonContent(schema: Json): Json {
  return { 'application/json': { schema } }
}

function toJsonSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...json } = z.toJSONSchema(schema, {
    io,
    // Only unknown values of the audit log have no type; they may be anything.
    unrepresentable: 'any',
    override: ({ jsonSchema }) => replaceOverridden(jsonSchema as Json),
  }) as Json
  return json
}

/** Moves named schemas out to where every operation refers to them. */
function shareSchemas(json: Json, schemas: Record<string, Json>): Json {
  const text = JSON.stringify(json).replaceAll('"#/$defs/', '"#/components/schemas/')
  const { $defs = {}, ...rest } = JSON.parse(text) as Json & { $defs?: Record<string, Json> }
  for (const [name, { id: _, ...schema }] of Object.entries($defs)) schemas[name] = schema
  return rest
}

/** A schema that reads several spellings is documented by the one it names in `override`. */
function replaceOverridden(json: Json): void {
  const override = json['override'] as Json | undefined
  if (override === undefined) return
  const { description } = json
  for (const key of Object.keys(json)) delete json[key]
  Object.assign(json, override, description === undefined ? {} : { description })
}

import { type Problem, AppError, ERRORS, type ErrorCode } from '../core/errors.ts'

/** A part of a list as the admin API answers it. */
export interface WirePage {
  readonly items: readonly Wire[]
  readonly nextCursor: string | null
}

/** One entry as the admin API answers it. */
export type Wire = Readonly<Record<string, unknown>>

/** Filters and page of a list. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>

/** Speaks the admin API. */
export interface AdminClient {
  get(path: string): Promise<Wire>
  list(path: string, query: Query): Promise<WirePage>
  /** Every entry of a list, page after page. */
  all(path: string, query?: Query): Promise<readonly Wire[]>
  send(method: 'POST' | 'PATCH' | 'DELETE', path: string, body?: Wire): Promise<Wire>
}

/** The largest page that the server gives. */
const PAGE_MAX = 1000
const TIMEOUT_MS = 60_000

/**
 * Makes a client of the admin API of one server.
 *
 * Errors: what the server refused, under the server's own code and with its own words; `overloaded`
 * when nobody answers at the URL.
 */
export function createAdminClient(url: string, token: string): AdminClient {
  const base = `${url.replace(/\/+$/, '')}/admin/v1`
  const call = async (method: string, path: string, body?: Wire): Promise<Wire> => {
    const reply = await reach(url, `${base}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    return readReply(url, reply)
  }
  const list = async (path: string, query: Query): Promise<WirePage> =>
    (await call('GET', `${path}${formatQuery(query)}`)) as unknown as WirePage
  return {
    get: (path) => call('GET', path),
    list,
    all: async (path, query = {}) => {
      const items: Wire[] = []
      let cursor: string | null = null
      do {
        const asked: Query = { ...query, limit: PAGE_MAX, ...(cursor === null ? {} : { cursor }) }
        const page: WirePage = await list(path, asked)
        items.push(...page.items)
        cursor = page.nextCursor
      } while (cursor !== null)
      return items
    },
    send: call,
  }
}

async function reach(url: string, target: string, request: RequestInit): Promise<Response> {
  try {
    return await fetch(target, request)
  } catch (error) {
    throw new AppError(
      'overloaded',
      `No Weir server answers at ${url}. Start one with "weir serve", or name it with --url.`,
      { cause: error },
    )
  }
}

async function readReply(url: string, reply: Response): Promise<Wire> {
  const text = await reply.text()
  const isJson = reply.headers.get('content-type')?.includes('json') === true
  const body = isJson ? (JSON.parse(text) as Wire) : undefined
  if (reply.ok && body !== undefined) return body
  const error = body?.['error'] as
    | { code: string; message: string; field?: string; problems?: readonly Problem[] }
    | undefined
  if (error === undefined) {
    throw new AppError('internal', `${url} answered ${reply.status}; is it a Weir server?`)
  }
  const code = error.code in ERRORS ? (error.code as ErrorCode) : 'internal'
  throw new AppError(code, error.message, {
    ...(error.field === undefined ? {} : { field: error.field }),
    problems: error.problems ?? [],
  })
}

function formatQuery(query: Query): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) search.append(name, String(value))
  }
  return search.size === 0 ? '' : `?${search.toString()}`
}

/** Puts a reference into a path. */
export function pathOf(collection: string, ref: string, action = ''): string {
  return `/${collection}/${encodeURIComponent(ref)}${action === '' ? '' : `/${action}`}`
}

// A ClickHouse HTTP interface over the embedded engine, run as a child process: authentication,
// compression, streaming, error codes and dropped connections go over a real wire.
// usage: node clickhouse-front.mjs <data directory> <user> <password>; prints its port, then
// serves.
import { createWriteStream, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'

const { Session } = createRequire(import.meta.url)('chdb')
const [directory, user, password] = process.argv.slice(2)
const free = [new Session(directory), new Session(directory), new Session(directory)]
const waiting = []
let faults = { drop: 0, fail: [], rules: [] }
let requests = 0

// Settings of the HTTP layer, which the engine itself does not know.
const HTTP_SETTINGS = new Set([
  'query',
  'query_id',
  'database',
  'default_format',
  'enable_http_compression',
  'wait_end_of_query',
  'session_id',
  'send_progress_in_http_headers',
  'http_headers_progress_interval_ms',
  'role',
])

const quote = (text) => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`

function authorised(headers) {
  const basic = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  if (headers.authorization === basic) return true
  return headers['x-clickhouse-user'] === user && headers['x-clickhouse-key'] === password
}

async function readText(stream) {
  const chunks = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

async function withSession(work) {
  const session = free.pop() ?? (await new Promise((resolve) => waiting.push(resolve)))
  try {
    return await work(session)
  } finally {
    const next = waiting.shift()
    if (next) next(session)
    else free.push(session)
  }
}

// `input()` and data behind FORMAT arrive as the request body; the engine reads them from a file.
async function withData(query, body, work) {
  const path = join(tmpdir(), `front-${process.pid}-${requests}.data`)
  await pipeline(body, createWriteStream(path))
  try {
    const lines = /\s+FORMAT LineAsString\s*$/
    if (lines.test(query)) {
      const from = `file(${quote(path)}, 'LineAsString', 'line String')`
      return await work(query.replace(lines, '').replaceAll("input('line String')", from))
    }
    const values = /^INSERT INTO (\S+) \(([^)]*)\)\s+FORMAT (\w+)\s*$/.exec(query)
    if (values === null) throw new Error(`the front cannot run ${query}`)
    const structure = values[2]
      .split(', ')
      .map((column) => `${column} String`)
      .join(', ')
    const from = `file(${quote(path)}, '${values[3]}', ${quote(structure)})`
    return await work(`INSERT INTO ${values[1]} (${values[2]}) SELECT * FROM ${from}`)
  } finally {
    rmSync(path, { force: true })
  }
}

function sets(parameters) {
  const statements = []
  for (const [name, value] of parameters) {
    if (name.startsWith('param_')) statements.push(`SET ${name} = ${quote(value)}`)
    else if (!HTTP_SETTINGS.has(name)) statements.push(`SET ${name} = ${quote(value)}`)
  }
  return statements.length === 0 ? '' : `${statements.join('; ')}; `
}

// Settings of one request must not reach the next one on the same session.
function resets(parameters) {
  return parameters
    .filter(([name]) => !HTTP_SETTINGS.has(name) && !name.startsWith('param_'))
    .map(([name]) => `SET ${name} = DEFAULT`)
}

async function run(sql, parameters, format) {
  return await withSession(async (session) => {
    try {
      const result = await session.queryAsync(`${sets(parameters)}${sql}`, { format })
      return Buffer.from(result.bytes())
    } finally {
      for (const reset of resets(parameters)) await session.queryAsync(reset)
    }
  })
}

let running = 0

function slowDown(sql) {
  const lines = /FROM (file\('[^']*', 'LineAsString', 'line String'\))/
  return lines.test(sql)
    ? sql.replace(lines, 'FROM (SELECT line FROM $1 WHERE sleep(1.5) = 0)')
    : sql.replace(/\nWHERE /, '\nWHERE sleep(1.5) = 0 AND ')
}

/**
 * Runs a statement as the first rule says that its text contains: `lose` executes it and then
 * drops the connection, `linger` drops the connection first and goes on for a while, `drop` does
 * not execute it, any other mode is an error text.
 */
async function runUnderRules(sql, parameters, format, request) {
  const index = faults.rules.findIndex(({ match, after = 0 }) => sql.includes(match) && after < 1)
  for (const rule of faults.rules) if (sql.includes(rule.match)) rule.after = (rule.after ?? 0) - 1
  const rule = index === -1 ? undefined : faults.rules[index]
  if (rule === undefined) return await run(sql, parameters, format)
  if ((rule.count = (rule.count ?? 1) - 1) <= 0) faults.rules.splice(faults.rules.indexOf(rule), 1)
  switch (rule.mode) {
    case 'drop':
      request.socket.destroy()
      return null
    case 'lose':
      await run(sql, parameters, format)
      request.socket.destroy()
      return null
    case 'linger': {
      request.socket.destroy()
      running += 1
      try {
        await run(slowDown(sql), parameters, format)
      } finally {
        running -= 1
      }
      return null
    }
    default:
      throw new Error(rule.mode)
  }
}

const STATUS = { 516: 403, 60: 404, 62: 400, 47: 404, 81: 404, 159: 408, 241: 500 }

function fail(response, message) {
  const code = /Code: (\d+)\./.exec(message)?.[1] ?? '1001'
  response.writeHead(STATUS[code] ?? 500, {
    'content-type': 'text/plain; charset=UTF-8',
    'x-clickhouse-exception-code': code,
  })
  response.end(
    /Code: \d+\./.test(message) ? message : `Code: 1001. DB::Exception: ${message} (STD_EXCEPTION)`,
  )
}

async function answer(request, response, url) {
  const body =
    request.headers['content-encoding'] === 'gzip' ? request.pipe(createGunzip()) : request
  const parameters = [...url.searchParams]
  const query = url.searchParams.get('query')
  const format = url.searchParams.get('default_format') ?? 'TabSeparated'
  const result =
    query === null
      ? await runUnderRules(await readText(body), parameters, format, request)
      : await withData(query, body, (sql) => runUnderRules(sql, parameters, format, request))
  if (result === null) return
  const gzip = url.searchParams.get('enable_http_compression') === '1'
  response.writeHead(200, {
    'content-type': 'text/plain; charset=UTF-8',
    'x-clickhouse-query-id': url.searchParams.get('query_id') ?? '',
    'x-clickhouse-summary': '{}',
    ...(gzip ? { 'content-encoding': 'gzip' } : {}),
  })
  if (!gzip) {
    response.end(result)
    return
  }
  const compressor = createGzip()
  compressor.pipe(response)
  compressor.end(result)
}

// ClickHouse takes statements of up to 1 MB in the URL (http_max_uri_size).
const server = createServer({ maxHeaderSize: 2 << 20 }, (request, response) => {
  requests += 1
  const url = new URL(request.url, 'http://localhost')
  if (url.pathname === '/ping') return response.end('Ok.\n')
  if (url.pathname === '/faults') {
    void readText(request).then((text) => {
      faults = { drop: 0, fail: [], rules: [], ...JSON.parse(text) }
      response.end(JSON.stringify({ requests, running }))
    })
    return
  }
  if (!authorised(request.headers)) {
    return fail(
      response,
      `Code: 516. DB::Exception: ${user}: Authentication failed. (AUTHENTICATION_FAILED)`,
    )
  }
  if (faults.drop > 0) {
    faults.drop -= 1
    return request.socket.destroy()
  }
  const failure = faults.fail.shift()
  if (failure !== undefined) return fail(response, failure)
  answer(request, response, url).catch((error) => fail(response, error.message))
})
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`))
process.on('SIGTERM', () => {
  server.close()
  for (const session of free) session.close()
  process.exit(0)
})

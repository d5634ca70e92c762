import { isUtf8 } from 'node:buffer'
import { AppError, unreachable } from '../../core/errors.ts'
import type { MeterName } from '../../meters/meter.ts'
import { RECORD_FIELDS, type RecordField } from '../../meters/records.ts'
import { checkRecord, hasRiskyExtra, type RecordProblem } from './record.ts'
import { createUsualLines, type UsualLines } from './usual-lines.ts'

/** Records as the engine reads them: one JSON object per line, each line ended by LF. */
export interface ParsedUsage {
  readonly body: Buffer
  /** Lines with a record. */
  readonly lines: number
  /** Empty lines, kept so that the others have the numbers that the sender knows them by. */
  readonly blankLines: number
}

/** Most records in one request. */
export const RECORDS_MAX = 1_000_000

/** Records checked before other requests get their turn. */
const SLICE_RECORDS = 4000

type Shape = 'lines' | 'json' | 'cloudevent' | 'cloudevents'

const SHAPES: Readonly<Record<string, Shape>> = {
  'application/x-ndjson': 'lines',
  'application/ndjson': 'lines',
  'application/jsonl': 'lines',
  'application/x-jsonlines': 'lines',
  'text/plain': 'lines',
  'application/json': 'json',
  'application/cloudevents+json': 'cloudevent',
  'application/cloudevents-batch+json': 'cloudevents',
}

/**
 * Reads a request body into usage lines.
 *
 * Shape: NDJSON lines are passed on byte for byte, save for fields of no meaning that the engine
 * might not read; blank ones stay, as empty ones; arrays and CloudEvents become lines.
 * Errors: `body_malformed` names the line (or the element, from 1) and the field;
 * `media_type_unsupported`; `too_large` above RECORDS_MAX records.
 */
export async function parseUsage(
  body: Buffer,
  contentType: string | undefined,
  meter: MeterName,
): Promise<ParsedUsage> {
  const type = (contentType ?? 'application/x-ndjson').split(';')[0]?.trim().toLowerCase() ?? ''
  const shape = SHAPES[type]
  if (shape === undefined) {
    throw new AppError(
      'media_type_unsupported',
      `Content type ${type} is not understood; send one of ${Object.keys(SHAPES).join(', ')}.`,
    )
  }
  if (!isUtf8(body)) throw notUtf8(body)
  const fields = RECORD_FIELDS[meter]
  switch (shape) {
    case 'lines':
      return parseLines(body, fields)
    case 'json':
      return parseJsonBody(body, fields)
    case 'cloudevent':
      return parseElements([parseWhole(body)], 'event', fields, fromCloudEvent)
    case 'cloudevents':
      return parseElements(parseWhole(body), 'event', fields, fromCloudEvent)
    default:
      return unreachable(shape)
  }
}

// JSON may be an array, one object over several lines, or lines all the same.
function parseJsonBody(body: Buffer, fields: readonly RecordField[]): Promise<ParsedUsage> {
  if (startsWith(body, '[')) {
    return parseElements(parseWhole(body), 'element', fields, (value) => value)
  }
  const firstLine = body
    .subarray(0, Math.max(body.indexOf(0x0a), 0))
    .toString('utf8')
    .trim()
  return firstLine === '{'
    ? parseElements([parseWhole(body)], 'body', fields, (value) => value)
    : parseLines(body, fields)
}

function startsWith(body: Buffer, character: string): boolean {
  const first = body.subarray(0, 64).toString('latin1').trimStart()[0]
  return first === character
}

function notUtf8(body: Buffer): AppError {
  let line = 1
  for (let start = 0; start < body.length; line += 1) {
    const newline = body.indexOf(0x0a, start)
    const end = newline === -1 ? body.length : newline
    if (!isUtf8(body.subarray(start, end))) break
    start = end + 1
  }
  return new AppError('body_malformed', `line ${line}: is not valid UTF-8.`)
}

function malformed(place: string, problem: RecordProblem): AppError {
  const field = problem.field === '' ? '' : ` field ${problem.field}`
  return new AppError('body_malformed', `${place}:${field} ${problem.problem}.`, {
    ...(problem.field !== '' && { field: problem.field }),
  })
}

function parseJson(text: string, place: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw new AppError('body_malformed', `${place}: is not valid JSON (${error.message}).`, {
      cause: error,
    })
  }
  if (
    text.includes('\\u') &&
    LONE_SURROGATE_HINT.test(text) &&
    LONE_SURROGATE.test(JSON.stringify(value))
  ) {
    throw new AppError('body_malformed', `${place}: has half of a surrogate pair.`)
  }
  return value
}

// JavaScript reads half of an escaped pair, the engine refuses the whole record. JSON.stringify
// leaves an escape only where there is such a half.
const LONE_SURROGATE_HINT = /\\ud[89a-f]/i
const LONE_SURROGATE = /(?<!\\)(?:\\\\)*\\ud[89a-f]/

function parseWhole(body: Buffer): unknown {
  return parseJson(body.toString('utf8'), 'body')
}

async function parseLines(body: Buffer, fields: readonly RecordField[]): Promise<ParsedUsage> {
  const usual = createUsualLines(fields)
  // One byte per character, so that offsets are the same; only ASCII is recognised in it.
  const text = body.toString('latin1')
  const parts: Buffer[] = []
  let keptTo = 0
  let blankLines = 0
  let lineNumber = 0
  for (let start = 0; start < body.length;) {
    lineNumber += 1
    let end = usual.endOf(text, start)
    if (end === -1) {
      const newline = body.indexOf(0x0a, start)
      end = newline === -1 ? body.length : newline + 1
      const line = body.toString('utf8', start, end)
      const replacement = checkLine(line, `line ${lineNumber}`, fields, usual)
      if (replacement !== null) {
        parts.push(body.subarray(keptTo, start), Buffer.from(replacement))
        keptTo = end
      }
      if (replacement === BLANK || line === BLANK) blankLines += 1
    }
    if (lineNumber - blankLines > RECORDS_MAX) throw tooMany()
    if (lineNumber % SLICE_RECORDS === 0) await breathe()
    start = end
  }
  const lines = lineNumber - blankLines
  if (lines === 0) throw new AppError('body_malformed', 'The body holds no record.')
  const kept = parts.length === 0 ? body : Buffer.concat([...parts, body.subarray(keptTo)])
  return { body: withNewline(kept), lines, blankLines }
}

const BLANK = '\n'

/** Says what to write instead of a line: null for the line itself, BLANK for one of white space. */
function checkLine(
  line: string,
  place: string,
  fields: readonly RecordField[],
  usual: UsualLines,
): string | null {
  if (line.trim() === '') return line === BLANK ? null : BLANK
  const record = parseJson(line, place)
  const problem = checkRecord(record, fields)
  if (problem !== undefined) throw malformed(place, problem)
  if (hasRiskyExtra(record as Fields, fields)) return `${stringify(record as Fields, fields)}\n`
  usual.learn(record as Fields)
  return null
}

type Fields = Readonly<Record<string, unknown>>

/** Writes the fields that mean something. */
function stringify(record: Fields, fields: readonly RecordField[]): string {
  return JSON.stringify(Object.fromEntries(fields.map(({ name }) => [name, record[name]])))
}

function withNewline(body: Buffer): Buffer {
  return body.at(-1) === 0x0a ? body : Buffer.concat([body, Buffer.from('\n')])
}

function tooMany(): AppError {
  return new AppError('too_large', `A request may hold at most ${RECORDS_MAX} records.`)
}

function breathe(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

async function parseElements(
  whole: unknown,
  word: string,
  fields: readonly RecordField[],
  toRecord: (value: unknown, place: string) => unknown,
): Promise<ParsedUsage> {
  if (!Array.isArray(whole)) {
    throw new AppError('body_malformed', 'body: must be a JSON array.')
  }
  if (whole.length === 0) throw new AppError('body_malformed', 'The body holds no record.')
  if (whole.length > RECORDS_MAX) throw tooMany()
  const lines: string[] = []
  for (const [index, value] of whole.entries()) {
    const place = `${word} ${index + 1}`
    const record = toRecord(value, place)
    const problem = checkRecord(record, fields)
    if (problem !== undefined) throw malformed(place, problem)
    lines.push(`${stringify(record as Fields, fields)}\n`)
    if (lines.length % SLICE_RECORDS === 0) await breathe()
  }
  return { body: Buffer.from(lines.join('')), lines: lines.length, blankLines: 0 }
}

/**
 * Makes a record of a CloudEvent: its data, identified by its source and id, at its time, about
 * its subject.
 *
 * Source: CloudEvents 1.0.2, required attributes and uniqueness of (source, id).
 */
function fromCloudEvent(value: unknown, place: string): unknown {
  if (typeof value !== 'object' || value === null) {
    throw malformed(place, { field: '', problem: 'must be a JSON object' })
  }
  const event = value as Readonly<Record<string, unknown>>
  for (const name of ['id', 'source', 'specversion', 'type']) {
    const attribute = event[name]
    if (typeof attribute !== 'string' || attribute === '') {
      throw malformed(place, { field: name, problem: 'must be a string that is not empty' })
    }
  }
  const data = event['data']
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    throw malformed(place, { field: 'data', problem: 'must be a JSON object' })
  }
  const record: Record<string, unknown> = { ...data }
  record['id'] = JSON.stringify([event['source'], event['id']])
  record['time'] ??= event['time']
  record['resource'] ??= event['subject']
  return record
}

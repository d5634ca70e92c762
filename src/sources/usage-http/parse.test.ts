import { describe, expect, test } from 'vitest'
import { parseUsage } from './parse.ts'

const GOOD = '{"time":"2026-11-20T10:00:00Z","resource":"eip-1","direction":"out","bytes":1}'
const NDJSON = 'application/x-ndjson'
const JSON_TYPE = 'application/json'
const EVENT = 'application/cloudevents+json'
const EVENTS = 'application/cloudevents-batch+json'

function changed(changes: object): string {
  return JSON.stringify({ ...JSON.parse(GOOD), ...changes })
}

const event = (changes: object = {}): object => ({
  specversion: '1.0',
  id: 'e1',
  source: '/edge/7',
  type: 'usage',
  time: '2026-11-20T10:00:00Z',
  subject: 'eip-1',
  data: { direction: 'out', bytes: 5 },
  ...changes,
})

async function parse(
  body: string | Uint8Array,
  type: string | undefined = NDJSON,
): Promise<{ text: string; count: number }> {
  const bytes = typeof body === 'string' ? Buffer.from(body) : Buffer.from(body)
  const { body: lines, lines: count, blankLines } = await parseUsage(bytes, type, 'eip')
  expect(lines.toString().split('\n')).toHaveLength(count + blankLines + 1)
  return { text: lines.toString(), count }
}

describe('what is taken', () => {
  test.each([
    ['lines', `${GOOD}\n${GOOD}\n`, NDJSON, 2],
    ['lines without a last line feed', `${GOOD}\n${GOOD}`, NDJSON, 2],
    ['lines without a content type', GOOD, undefined, 1],
    ['lines with a charset', GOOD, 'application/x-ndjson; charset=utf-8', 1],
    ['lines as plain text', GOOD, 'Text/Plain', 1],
    ['lines that say they are JSON', `${GOOD}\n${GOOD}\n`, JSON_TYPE, 2],
    ['one object', GOOD, JSON_TYPE, 1],
    ['one object over several lines', JSON.stringify(JSON.parse(GOOD), null, 2), JSON_TYPE, 1],
    ['an array', `\n [${GOOD},\n${GOOD}]`, JSON_TYPE, 2],
    ['one event', JSON.stringify(event()), EVENT, 1],
    ['a batch of events', JSON.stringify([event(), event({ id: 'e2' })]), EVENTS, 2],
  ])('%s', async (_, body, type, count) => {
    const parsed = await parse(body, type)
    expect(parsed.count).toBe(count)
    expect(parsed.text.endsWith('\n')).toBe(true)
    expect(parsed.text.split('\n')).toHaveLength(count + 1)
  })

  test('lines pass byte for byte, blank ones as empty ones: the others keep their numbers', async () => {
    const odd = GOOD.replace(',', ' ,\t')
    expect(await parse(`\n\r\n${odd}\r\n\n \u00a0\u3000\n${GOOD}\n \t`)).toEqual({
      text: `\n\n${odd}\r\n\n\n${GOOD}\n\n`,
      count: 2,
    })
  })

  test('an event is a record: identified by source and id, at its time, about its subject', async () => {
    const { text } = await parse(JSON.stringify(event()), EVENT)
    expect(JSON.parse(text)).toEqual({
      id: '["/edge/7","e1"]',
      time: '2026-11-20T10:00:00Z',
      resource: 'eip-1',
      direction: 'out',
      bytes: 5,
    })
  })

  test('a field of no meaning that the engine could not read is left out', async () => {
    const deep = `${'['.repeat(2000)}${']'.repeat(2000)}`
    for (const value of [deep, '99999999999999999999', '-1e400', '{"a":{}}']) {
      const { text } = await parse(GOOD.replace('{', `{"note":"kept","x":${value},`))
      expect(JSON.parse(text)).toEqual(JSON.parse(GOOD))
    }
    const harmless = GOOD.replace('{', '{"note":"kept","x":1.5,"y":null,')
    expect((await parse(harmless)).text).toBe(`${harmless}\n`)
  })

  test('half of a surrogate pair that is only written out as text is text', async () => {
    const body = changed({ resource: 'C:\\ud800' })
    expect((await parse(body)).count).toBe(1)
    expect((await parse(changed({ resource: '😀' }).replace('😀', '\\ud83d\\ude00'))).count).toBe(1)
  })
})

describe('what is malformed is named by line and field', () => {
  const second = (line: string): string => `${GOOD}\n${line}\n${GOOD}\n`
  test.each([
    [second('{'), 'line 2: is not valid JSON'],
    [second('{"a":1}{"b":2}'), 'line 2: is not valid JSON'],
    [second('[]'), 'line 2: must be a JSON object.'],
    [second('NaN'), 'line 2: is not valid JSON'],
    [second(GOOD.replace('1}', 'NaN}')), 'line 2: is not valid JSON'],
    [second(GOOD.replace('1}', '-1}')), 'line 2: field bytes must be an integer from 0 to'],
    [second(GOOD.replace('1}', '18446744073709551616}')), 'line 2: field bytes must be an integer'],
    [second(changed({ bytes: undefined })), 'line 2: field bytes is missing.'],
    [second(changed({ direction: 'sideways' })), 'line 2: field direction must be one of out, in.'],
    [second(changed({ time: 'yesterday' })), 'line 2: field time must be ISO 8601'],
    [`\n\n${GOOD}\n{`, 'line 4: is not valid JSON'],
    [second(GOOD.replace('eip-1', 'eip\u0000')), 'line 2: is not valid JSON'],
    [second(GOOD.replace('eip-1', String.raw`\ud800`)), 'line 2: has half of a surrogate pair.'],
    [second(`\u{feff}${GOOD}`), 'line 2: is not valid JSON'],
    ['', 'The body holds no record.'],
    ['\n \n', 'The body holds no record.'],
  ])('%j', async (body, message) => {
    await expect(parse(body)).rejects.toMatchObject({ code: 'body_malformed' })
    await expect(parse(body)).rejects.toThrow(message)
  })

  test('invalid UTF-8, also inside an array', async () => {
    const bad = Buffer.from(`${GOOD}\n${GOOD}\n`)
    bad[bad.lastIndexOf('eip-1')] = 0xff
    await expect(parse(bad)).rejects.toThrow('line 2: is not valid UTF-8.')
    await expect(parse(Buffer.from([0x5b, 0x22, 0xff, 0x22, 0x5d]), JSON_TYPE)).rejects.toThrow(
      'line 1: is not valid UTF-8.',
    )
  })

  test.each([
    [JSON_TYPE, `[${GOOD},${changed({ bytes: -1 })}]`, 'element 2: field bytes must be'],
    [JSON_TYPE, `[${GOOD},7]`, 'element 2: must be a JSON object.'],
    [JSON_TYPE, `[${GOOD}`, 'body: is not valid JSON'],
    [JSON_TYPE, '[]', 'The body holds no record.'],
    [JSON_TYPE, '', 'The body holds no record.'],
    [EVENTS, JSON.stringify(event()), 'body: must be a JSON array.'],
    [EVENT, JSON.stringify(event({ id: 7 })), 'event 1: field id must be a string'],
    [EVENT, JSON.stringify(event({ source: '' })), 'event 1: field source must be a string'],
    [EVENT, JSON.stringify(event({ data: 'x' })), 'event 1: field data must be a JSON object'],
    [EVENT, JSON.stringify(event({ time: undefined })), 'event 1: field time is missing.'],
    [EVENTS, JSON.stringify([event(), null]), 'event 2: must be a JSON object.'],
    [EVENTS, JSON.stringify([event({ subject: 7 })]), 'event 1: field resource must be a string'],
  ])('%s %s', async (type, body, message) => {
    await expect(parse(body, type)).rejects.toThrow(message)
  })

  test('the field is told apart from the text, for programs', async () => {
    await expect(parse(changed({ bytes: -1 }))).rejects.toMatchObject({ field: 'bytes' })
  })
})

test('an unknown content type is refused with the known ones', async () => {
  await expect(parse(GOOD, 'application/xml')).rejects.toMatchObject({
    code: 'media_type_unsupported',
    message: expect.stringContaining('application/x-ndjson'),
  })
})

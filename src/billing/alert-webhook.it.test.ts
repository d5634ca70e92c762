import { createHmac } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { fakeClock } from '../../test/support/fakes.ts'
import { freePort } from '../../test/support/free-port.ts'
import {
  hang,
  type ReceivedHook,
  startWebhookReceiver,
  type WebhookReceiver,
} from '../../test/support/webhook-receiver.ts'
import {
  createWebhookSender,
  newWebhookSecret,
  type SendResult,
  signWebhook,
  STOPPED,
} from './alert-webhook.ts'

const NOW = Date.UTC(2026, 10, 21, 8, 30, 15, 999)
const NOTICE = { id: 'evt-alt-1-1', type: 'alert.firing', body: '{"id":"evt-alt-1-1"}' } as const

const NO_HOOK: ReceivedHook = { path: '', headers: {}, body: '' }

let receiver: WebhookReceiver
beforeAll(async () => {
  receiver = await startWebhookReceiver()
})
afterAll(() => receiver.stop())
beforeEach(() => {
  receiver.answers.length = 0
})

const secret = newWebhookSecret()
const never = new AbortController().signal

function post(url = receiver.url, stopping = never): Promise<SendResult> {
  const send = createWebhookSender({ timeoutMs: 500 }, { clock: fakeClock(NOW) })
  return send({ url, secret }, NOTICE, stopping)
}

describe('the signature', () => {
  test('is the published one for the published example', () => {
    // Source: Standard Webhooks 1.0.0, the example of its reference libraries.
    const signature = signWebhook(
      'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
      'msg_p5jXN8AQM9LWM0D4loKWxJek',
      1614265330,
      '{"test": 2432232314}',
    )
    expect(signature).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=')
  })
  test('is over id, time and the very bytes that arrive, under the shown secret', async () => {
    expect(await post()).toEqual({ isSent: true })
    const { body, headers } = receiver.hooks.at(-1) ?? NO_HOOK
    expect(body).toBe(NOTICE.body)
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'webhook-id': 'evt-alt-1-1',
      'webhook-timestamp': String(Math.floor(NOW / 1000)),
    })
    const key = Buffer.from(secret.replace('whsec_', ''), 'base64')
    const content = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
    const expected = createHmac('sha256', key).update(content).digest('base64')
    expect(headers['webhook-signature']).toBe(`v1,${expected}`)
  })
  test('is checked by the code that the manual shows', async () => {
    const page = new URL('../../docs/how-to/alerts.md', import.meta.url)
    const [, code = ''] = /```js\n([^]*?)```/.exec(await readFile(page, 'utf8')) ?? []
    const folder = await mkdtemp(join(tmpdir(), 'weir-manual-'))
    const file = join(folder, 'check.mjs')
    await writeFile(file, code)
    const { isFromWeir } = (await import(file)) as {
      isFromWeir: (headers: object, body: string, secret: string) => boolean
    }
    await rm(folder, { recursive: true })
    const { body } = NOTICE
    const seconds = Math.floor(Date.now() / 1000)
    const headersAt = (time: number, signed = time) => ({
      'webhook-id': NOTICE.id,
      'webhook-timestamp': String(time),
      'webhook-signature': signWebhook(secret, NOTICE.id, signed, body),
    })
    expect(isFromWeir(headersAt(seconds), body, secret)).toBe(true)
    expect(isFromWeir(headersAt(seconds), `${body} `, secret)).toBe(false)
    expect(isFromWeir(headersAt(seconds), body, newWebhookSecret())).toBe(false)
    expect(isFromWeir(headersAt(seconds, seconds - 1), body, secret)).toBe(false)
    expect(isFromWeir(headersAt(seconds - 600), body, secret)).toBe(false)
  })
  test('has a secret of its own for each endpoint, 256 bits long', () => {
    expect(newWebhookSecret()).not.toBe(secret)
    expect(Buffer.from(secret.slice('whsec_'.length), 'base64')).toHaveLength(32)
  })
})

describe('an attempt', () => {
  test.each([200, 201, 204, 299])('is good with %d', async (status) => {
    receiver.answers.push(status)
    expect(await post()).toEqual({ isSent: true })
  })
  test.each([400, 404, 429, 500, 503])('fails with %d and may be repeated', async (status) => {
    receiver.answers.push(status)
    expect(await post()).toEqual({
      isSent: false,
      reason: `the receiver answered ${status}`,
      isFinal: false,
      askedMs: null,
    })
  })
  test('fails for good with 410', async () => {
    receiver.answers.push(410)
    expect(await post()).toMatchObject({ isSent: false, isFinal: true })
  })
  test('follows no redirect', async () => {
    const before = receiver.hooks.length
    receiver.answers.push((response) => response.writeHead(307, { location: '/other' }).end())
    expect(await post()).toMatchObject({
      isSent: false,
      reason: expect.stringContaining('redirects are not followed'),
    })
    expect(receiver.hooks.slice(before).map(({ path }) => path)).toEqual(['/hook'])
  })
  test('ends when the receiver hangs, also in the middle of its answer', async () => {
    receiver.answers.push(hang, (response) => response.writeHead(200).write('x'))
    const expected = { isSent: false, reason: 'no complete answer within 0.5 s' }
    expect(await post()).toMatchObject(expected)
    expect(await post()).toMatchObject(expected)
  })
  test('ends at once when the server stops', async () => {
    receiver.answers.push(hang)
    const stopper = new AbortController()
    const attempt = post(receiver.url, stopper.signal)
    stopper.abort()
    expect(await attempt).toMatchObject({ isSent: false, reason: STOPPED })
  })
  test('fails where nobody listens, and says how', async () => {
    expect(await post(`http://127.0.0.1:${await freePort()}/`)).toMatchObject({
      isSent: false,
      isFinal: false,
      reason: 'the connection failed (ECONNREFUSED)',
    })
  })
  test('reads only the beginning of a long answer, as one harmless line', async () => {
    let written = 0
    receiver.answers.push((response) => {
      response.writeHead(500)
      const pump = (): void => {
        while (!response.destroyed && written < 1e9) {
          written += 65_536
          if (!response.write('no\r\nway\u0000 '.repeat(6553))) break
        }
      }
      response.on('drain', pump)
      pump()
    })
    const result = await post()
    expect(result).toMatchObject({ reason: expect.stringMatching(/500; (no way ?)+/) })
    expect((result as { reason: string }).reason.length).toBeLessThan(260)
    expect(written).toBeLessThan(1e8)
  })
  test.each([
    ['120', 120_000],
    [new Date(NOW + 5001).toUTCString(), 5001],
    ['soon', null],
    ['Sat, 01 Jan 2000 00:00:00 GMT', 0],
  ])('hears Retry-After: %s', async (header, askedMs) => {
    receiver.answers.push((response) => response.writeHead(503, { 'retry-after': header }).end())
    expect(await post()).toMatchObject({ askedMs })
  })
})

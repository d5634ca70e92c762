import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { freePort } from '../../test/support/free-port.ts'
import {
  type SmtpPlan,
  type SmtpReceiver,
  startSmtpReceiver,
} from '../../test/support/smtp-receiver.ts'
import { createMailSender, type MailConfig } from './alert-mail.ts'
import { STOPPED } from './alert-webhook.ts'

let receiver: SmtpReceiver
afterEach(() => receiver.stop())

const LETTER = { subject: 'Firing: Überlauf (acme, cdn)', text: 'One.\n.\nTwo: 流量\n' }
const never = new AbortController().signal

async function open(plan: SmtpPlan = {}, changes: Partial<MailConfig> = {}) {
  receiver = await startSmtpReceiver(plan)
  return createMailSender({
    host: '127.0.0.1',
    port: receiver.port,
    user: null,
    password: null,
    from: 'weir@acme.example',
    tls: 'none',
    ca: null,
    ...changes,
  })
}

const decode = (text: string) => {
  const [head = '', ...body] = text.split('\r\n\r\n')
  const raw = body.join('\r\n\r\n').replace(/=\r\n/g, '')
  const bytes = raw.replace(/=([0-9A-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
  return {
    head,
    // Quoted-printable, as the header says.
    body: Buffer.from(bytes, 'latin1').toString('utf8'),
  }
}

test('a letter arrives with its text, its subject and an id by which it is known again', async () => {
  const send = await open()
  expect(await send('ops@acme.example', LETTER, 'dlv-1', never)).toEqual({ isSent: true })
  const [mail] = receiver.mails
  expect(mail).toMatchObject({
    from: 'weir@acme.example',
    to: ['ops@acme.example'],
    login: null,
  })
  const { head, body } = decode(mail?.text ?? '')
  expect(body.replaceAll('\r\n', '\n')).toContain(LETTER.text.trim())
  expect(head).toMatch(/^Message-ID: <dlv-1@acme.example>\r?$/m)
  expect(head).toMatch(/^From: Weir <weir@acme.example>\r?$/m)
  expect(head).toMatch(/^To: ops@acme.example\r?$/m)
  expect(head).toMatch(/^Auto-Submitted: auto-generated\r?$/m)
  expect(head).toMatch(/^Content-Type: text\/plain; charset=utf-8\r?$/m)
  expect(head).toMatch(/^Content-Transfer-Encoding: quoted-printable\r?$/m)
  expect(head).toMatch(/^Subject: =\?UTF-8\?/m)
})

test('neither subject nor address can add a header or a recipient', async () => {
  const send = await open()
  const subject = 'x\r\nBcc: all@acme.example\r\n\r\nbody'
  await send(
    'a@acme.example,b@acme.example\r\nCc: c@acme.example',
    { subject, text: 't' },
    'd',
    never,
  )
  for (const mail of receiver.mails) {
    expect(decode(mail.text).head).not.toMatch(/^(?:bcc|cc):/im)
    expect(mail.to).toHaveLength(1)
  }
})

test('user and password open a server that asks for them', async () => {
  const send = await open({}, { user: 'weir', password: 's3cret' })
  expect(await send('ops@acme.example', LETTER, 'd', never)).toEqual({ isSent: true })
  expect(receiver.mails[0]?.login).toBe('\0weir\0s3cret')
})

describe('a failure says whose it is, and whether trying again is of use', () => {
  test.each<[string, SmtpPlan, object]>([
    [
      'an unknown recipient is final',
      { answers: { RCPT: '550 no such user' } },
      { isFinal: true, reason: expect.stringContaining('550 at RCPT TO') },
    ],
    ['a full mailbox is not', { answers: { RCPT: '452 full' } }, { isFinal: false }],
    ['a refused sender is not', { answers: { MAIL: '553 not you' } }, { isFinal: false }],
    [
      'a refused login is not',
      { answers: { AUTH: '535 wrong' } },
      { isFinal: false, reason: expect.stringContaining('535') },
    ],
  ])('%s', async (_title, plan, expected) => {
    const send = await open(plan, { user: 'u', password: 'p' })
    const result = await send('ops@acme.example', LETTER, 'd', never)
    expect(result).toMatchObject({ isSent: false, askedMs: null, ...expected })
    expect(JSON.stringify(result)).not.toContain('no such user')
  })

  test('nobody listens', async () => {
    const send = await open({}, { port: await freePort() })
    expect(await send('ops@acme.example', LETTER, 'd', never)).toMatchObject({
      isSent: false,
      isFinal: false,
      reason: expect.stringMatching(/could not be spoken to.*\(E\w+\)/),
    })
  })

  test('the server stops while the mail server is silent', async () => {
    const send = await open({ answers: { RCPT: null } })
    const stopper = new AbortController()
    const sending = send('ops@acme.example', LETTER, 'd', stopper.signal)
    setTimeout(() => stopper.abort(), 50)
    expect(await sending).toMatchObject({ isSent: false, reason: STOPPED })
  })
})

describe('encryption', () => {
  test('without STARTTLS nothing is sent where it is required', async () => {
    const send = await open({}, { tls: 'starttls' })
    expect(await send('ops@acme.example', LETTER, 'd', never)).toMatchObject({ isSent: false })
    expect(receiver.mails).toEqual([])
  })

  test('a certificate is believed only when its issuer is trusted', async () => {
    const tls = makeCertificate()
    const trusting = await open({ tls }, { tls: 'starttls', ca: tls.cert, host: 'localhost' })
    expect(await trusting('ops@acme.example', LETTER, 'd', never)).toEqual({ isSent: true })
    expect(receiver.mails[0]?.isEncrypted).toBe(true)
    await receiver.stop()
    const doubting = await open({ tls }, { tls: 'starttls', host: 'localhost' })
    expect(await doubting('ops@acme.example', LETTER, 'd', never)).toMatchObject({ isSent: false })
    expect(receiver.mails).toEqual([])
  })
})

function makeCertificate(): { readonly cert: string; readonly key: string } {
  const folder = mkdtempSync(join(tmpdir(), 'weir-cert-'))
  try {
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
    const command =
      `req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost ` +
      `-addext subjectAltName=DNS:localhost -out ${cert} -keyout ${key}`
    execFileSync('openssl', command.split(' '), { stdio: ['ignore', 'ignore', 'pipe'] })
    return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

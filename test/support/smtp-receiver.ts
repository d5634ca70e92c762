import { createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import { createSecureContext, TLSSocket } from 'node:tls'

/** One letter as it arrived. */
export interface ReceivedMail {
  readonly from: string
  readonly to: readonly string[]
  /** Headers and body, lines ending with \r\n, dots unstuffed. */
  readonly text: string
  readonly isEncrypted: boolean
  /** `\0user\0password` of AUTH PLAIN; null: nobody logged in. */
  readonly login: string | null
}

export interface SmtpPlan {
  /** Certificate and key as PEM; with them STARTTLS is offered. */
  readonly tls?: { readonly cert: string; readonly key: string }
  /** Answers by command, e.g. `{ RCPT: '550 no such user' }`; `null` leaves the client waiting. */
  readonly answers?: Readonly<Record<string, string | null>>
}

/** A mail server of a few commands, for one test. */
export interface SmtpReceiver {
  readonly port: number
  readonly mails: readonly ReceivedMail[]
  plan: SmtpPlan
  stop(): Promise<void>
}

/** Starts a mail server on loopback that keeps what it is given. */
export async function startSmtpReceiver(plan: SmtpPlan = {}): Promise<SmtpReceiver> {
  const mails: ReceivedMail[] = []
  const sockets = new Set<Socket>()
  const receiver = { plan }
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.write('220 test ESMTP\r\n')
    serve(socket, receiver, mails)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return Object.assign(receiver, {
    port: (server.address() as AddressInfo).port,
    mails,
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  })
}

function serve(
  socket: Socket,
  receiver: { readonly plan: SmtpPlan },
  mails: ReceivedMail[],
  isEncrypted = false,
): void {
  const session = { from: '', to: [] as string[], login: null as string | null, isData: false }
  let buffered = ''
  const take = (line: string): void => {
    const [verb = ''] = line.toUpperCase().split(/[ :]/)
    const planned = receiver.plan.answers?.[verb]
    if (planned !== undefined) {
      if (planned !== null) socket.write(`${planned}\r\n`)
      return
    }
    if (verb === 'EHLO') {
      const offers = receiver.plan.tls !== undefined && !isEncrypted ? ['STARTTLS'] : []
      socket.write(`250-test\r\n${offers.map((each) => `250-${each}\r\n`).join('')}`)
      socket.write('250 AUTH PLAIN\r\n')
    } else if (verb === 'STARTTLS') {
      socket.write('220 go\r\n')
      socket.removeAllListeners('data')
      const secureContext = createSecureContext(receiver.plan.tls)
      serve(new TLSSocket(socket, { isServer: true, secureContext }), receiver, mails, true)
    } else if (verb === 'AUTH') {
      session.login = Buffer.from(line.split(' ')[2] ?? '', 'base64').toString()
      socket.write('235 welcome\r\n')
    } else if (verb === 'MAIL') {
      session.from = /<(.*)>/.exec(line)?.[1] ?? ''
      socket.write('250 ok\r\n')
    } else if (verb === 'RCPT') {
      session.to.push(/<(.*)>/.exec(line)?.[1] ?? '')
      socket.write('250 ok\r\n')
    } else if (verb === 'DATA') {
      session.isData = true
      socket.write('354 go on\r\n')
    } else if (verb === 'QUIT') socket.end('221 bye\r\n')
    else socket.write('502 what?\r\n')
  }
  socket.on('data', (chunk) => {
    buffered += chunk.toString('utf8')
    for (;;) {
      const end = buffered.indexOf(session.isData ? '\r\n.\r\n' : '\r\n')
      if (end === -1) return
      const piece = buffered.slice(0, end)
      buffered = buffered.slice(end + (session.isData ? 5 : 2))
      if (!session.isData) {
        take(piece)
        continue
      }
      session.isData = false
      const { from, to, login } = session
      mails.push({ from, to: [...to], text: piece.replace(/^\.\./gm, '.'), isEncrypted, login })
      socket.write('250 kept\r\n')
    }
  })
}

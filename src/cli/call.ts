import { Command, InvalidArgumentError, Option } from 'commander'
import {
  declaredActions,
  type Dialect,
  type SignedRequest,
  tencentRequest,
  typedParameters,
  ucloudRequest,
} from '../api/client.ts'
import type { Clock } from '../core/clock.ts'
import type { CliContext } from './context.ts'
import { configOf } from './server-address.ts'

/** What the command touches outside of itself; a test passes its own. */
export interface CallIo {
  readonly clock: Clock
  readonly send: (request: SignedRequest) => Promise<{ status: number; text: string }>
  readonly print: (text: string) => void
  readonly complain: (text: string) => void
  /** Sets the exit code of the process. */
  readonly exitWith: (code: number) => void
  /** Where calls go when nobody says. */
  readonly defaultUrl: () => string
}

interface CallOptions {
  readonly url?: string
  readonly key: string
  readonly secret: string
  readonly dialect?: Dialect
  readonly curl?: boolean
}

/** How long one call may take. */
const TIMEOUT_MS = 60_000

/** What the command touches when people run it: the network, the terminal, the environment. */
export function callIo(context: CliContext): CallIo {
  return {
    clock: context.clock,
    send: async ({ url, headers, body }) => {
      const signal = AbortSignal.timeout(TIMEOUT_MS)
      const response = await fetch(url, { method: 'POST', headers, body, signal })
      return { status: response.status, text: await response.text() }
    },
    print: context.write,
    complain: (text) => process.stderr.write(text),
    exitWith: context.exitWith,
    defaultUrl: () => {
      const { WEIR_URL } = context.environment
      return WEIR_URL ?? `http://127.0.0.1:${configOf(context, {}).server.port}`
    },
  }
}

/**
 * Builds `weir call`: signs one vendor call, sends it and prints the answer.
 *
 * Shape: indented JSON on standard output; on an API error also its message on standard error and
 * exit code 1.
 */
export function callCommand(io: CallIo): Command {
  return new Command('call')
    .summary('sign and send one vendor API call')
    .description(
      'Signs a call of one of the vendor APIs with a key pair, sends it, and prints the answer.\n' +
        'Parameters are written Key=Value, lists Key.0=Value Key.1=Value.',
    )
    .argument('<action>', 'name of the action, such as GetUcdnTrafficV2')
    .argument('[parameters...]', 'Key=Value', collectParameters)
    .option('--url <url>', 'endpoint (default: WEIR_URL, or this machine)', parseUrl)
    .addOption(
      new Option('--key <id>', 'public half of the key pair (PublicKey, SecretId)')
        .env('WEIR_KEY')
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--secret <secret>', 'private half; the environment keeps it out of `ps`')
        .env('WEIR_SECRET')
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--dialect <dialect>', 'how to sign; by default as the action demands').choices([
        'ucloud',
        'tencent',
      ]),
    )
    .option('--curl', 'print the signed call as a curl line instead of sending it')
    .addHelpText('after', helpText)
    .action(async (action: string, parameters: Texts | undefined, options: CallOptions) => {
      await call(action, parameters ?? {}, options, io)
    })
}

async function call(action: string, texts: Texts, options: CallOptions, io: CallIo): Promise<void> {
  const { key, secret } = options
  const url = options.url ?? new URL(io.defaultUrl()).href
  const parameters = typedParameters(action, texts)
  const request = { url, action, parameters, publicKey: key, privateKey: secret }
  const dialect = options.dialect ?? dialectOf(action)
  const signed =
    dialect === 'tencent' ? tencentRequest(request, io.clock.nowMs()) : ucloudRequest(request)
  if (options.curl === true) {
    io.print(`${formatCurl(signed)}\n`)
    if (dialect === 'tencent') io.complain('This signature is valid for five minutes.\n')
    return
  }
  const problem = await send(signed, io)
  if (problem === undefined) return
  io.complain(`${problem}\n`)
  io.exitWith(1)
}

/** Sends the call and prints its answer; returns what went wrong. */
async function send(signed: SignedRequest, io: CallIo): Promise<string | undefined> {
  let reply: { status: number; text: string }
  try {
    reply = await io.send(signed)
  } catch (error) {
    return `No answer from ${signed.url} (${reasonOf(error)}). Is Weir running there? Give --url.`
  }
  const { status, text } = reply
  let answer: unknown
  try {
    answer = JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return `${signed.url} answered HTTP ${status} and no JSON; it is not a vendor endpoint.`
  }
  io.print(`${JSON.stringify(answer, null, 2)}\n`)
  return errorIn(answer) ?? (status === 200 ? undefined : `HTTP ${status}`)
}

interface AnswerShape {
  readonly RetCode?: number
  readonly Message?: string
  readonly Response?: { readonly Error?: { readonly Code?: string; readonly Message?: string } }
}

function errorIn(answer: unknown): string | undefined {
  if (typeof answer !== 'object' || answer === null) return undefined
  const { RetCode, Message, Response } = answer as AnswerShape
  if (RetCode !== undefined && RetCode !== 0) return `RetCode ${RetCode}: ${Message ?? ''}`
  if (Response?.Error !== undefined) return `${Response.Error.Code}: ${Response.Error.Message}`
  return undefined
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? error.cause.message : error.message
}

/** Writes a request as a line for any POSIX shell. */
export function formatCurl({ url, headers, body }: SignedRequest): string {
  const parts = Object.entries(headers).map(([name, value]) => `-H ${quote(`${name}: ${value}`)}`)
  return ['curl -sS', quote(url), ...parts, `--data-raw ${quote(body)}`].join(' ')
}

function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}

function dialectOf(action: string): Dialect {
  return declaredActions().find(({ name }) => name === action)?.dialect ?? 'ucloud'
}

type Texts = Readonly<Record<string, string>>

function collectParameters(text: string, before: Texts | undefined): Texts {
  const at = text.indexOf('=')
  if (at < 1) throw new InvalidArgumentError(`"${text}" is not Key=Value.`)
  return { ...before, [text.slice(0, at)]: text.slice(at + 1) }
}

function parseUrl(text: string): string {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) {
    throw new InvalidArgumentError('Give a URL such as http://127.0.0.1:8080/.')
  }
  return new URL(text).href
}

/** As either vendor calls a list. */
const LIST_TYPES = new Set(['list', 'Array of String'])

function helpText(): string {
  const lines = declaredActions().flatMap(({ name, dialect, summary, parameters }) => [
    `  ${name} (${dialect})`,
    `    ${summary}`,
    ...parameters.map((parameter) => {
      const label = `${parameter.name}${LIST_TYPES.has(parameter.type) ? '.N' : ''}`
      return `      ${label.padEnd(16)} ${parameter.required ? 'required' : 'optional'}  ${parameter.doc}`
    }),
  ])
  return [
    '',
    'Examples:',
    '  export WEIR_KEY=… WEIR_SECRET=…      the key pair; `weir key create` makes one',
    '  weir call GetUcdnTrafficV2',
    '  weir call GetUcdnProIspBandwidthV2 Type=0 BeginTime=1795190400 EndTime=1795194000 \\',
    '            DomainId.0=ucdn-example Province.0=shanghai',
    '  weir call GetFlowStatisticByRegion Type=3 TimeGranularity=2 GatewayType=0 \\',
    '            BeginTime=1795104000 EndTime=1795190400 --curl',
    '',
    'Actions:',
    ...lines,
    '',
  ].join('\n')
}

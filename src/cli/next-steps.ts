import { type CallRequest, tencentRequest, ucloudRequest } from '../api/client.ts'
import type { Core } from '../compose.ts'
import { adminTokenPath } from '../config/admin-token-file.ts'
import type { Config } from '../config/config.ts'
import type { EpochMs } from '../core/clock.ts'
import { DAY_MS, DEFAULT_ZONE, FIVE_MINUTES_MS, type Interval, toLocal } from '../core/period.ts'
import { findExample, type NewExample } from '../example/bootstrap.ts'
import { EXAMPLE_ADDRESSES, EXAMPLE_DOMAINS, EXAMPLE_PROJECTS } from '../example/resources.ts'
import { formatCurl } from './call.ts'

/** What the printed calls need. */
export interface NextStepsInput {
  /** Where clients reach the server, `http://host:port/`. */
  readonly url: string
  /** How the reader runs Weir, such as `npx weir`. */
  readonly command: string
  readonly nowMs: EpochMs
  readonly accountId: string
  /** Where the example's usage lies. */
  readonly usage: Interval
  readonly publicKey: string
  readonly secret: string
  /** Whether the secret itself is printed: once, when the key pair is new. */
  readonly isNew: boolean
  /** Where the admin token of the native query is kept. */
  readonly dataDirectory: string
  /** Token with which elastic IP usage may be sent, while it is known. */
  readonly eipToken: string | undefined
}

/** How the reader of a fresh clone runs Weir. */
const COMMAND = 'npx weir'

type Values = Readonly<Record<string, string | number>>

interface Step {
  readonly title: string
  readonly action: string
  readonly parameters: Values
}

/**
 * Writes what to do after a start: the five contract calls and the native query, ready to paste.
 *
 * Shape: each call once as `weir call` and once as a signed `curl`; all answer example figures.
 * Time: UCloud signatures stay valid, so those curl lines can be kept; Tencent's last five minutes.
 */
export function nextSteps(input: NextStepsInput): string {
  const sections = [
    heading(input),
    keys(input),
    ...callSections(input),
    querySection(6, input),
    ...ownUsage(input),
  ]
  return `${sections.join('\n\n')}\n`
}

/**
 * Writes what to do on this server: the example's calls if it has the example, first steps if it
 * has nothing.
 *
 * Shape: the secret is printed only of an example that was made just now.
 */
export async function nextStepsOf(
  core: Pick<Core, 'catalog' | 'clock' | 'control'>,
  config: Pick<Config, 'server' | 'data'>,
  serverUrl: string,
  made?: NewExample,
): Promise<string> {
  const url = (config.server.publicUrl ?? serverUrl).replace(/\/*$/, '/')
  const example = made ?? (await findExample(core.catalog.rows))
  const credential =
    example === undefined ? undefined : await core.control.reader.credential(example.publicKey)
  if (example === undefined || credential === undefined) {
    const isEmpty = (await core.catalog.rows.accounts.find({})) === undefined
    return isEmpty
      ? firstSteps({ url, command: COMMAND, nowMs: core.clock.nowMs() })
      : `Weir is ready at ${url}\n`
  }
  return nextSteps({
    url,
    command: COMMAND,
    nowMs: core.clock.nowMs(),
    accountId: example.account.id,
    usage: example.usage,
    publicKey: example.publicKey,
    secret: credential.secret,
    isNew: made !== undefined,
    dataDirectory: config.data.directory,
    eipToken: made?.tokens.eip,
  })
}

/**
 * Writes what to do on a server that holds no example: register something, send its usage.
 */
export function firstSteps({
  url,
  command,
  nowMs,
}: Pick<NextStepsInput, 'url' | 'command' | 'nowMs'>): string {
  const since = `${new Date(nowMs - 30 * DAY_MS).toISOString().slice(0, 10)}T00:00:00Z`
  return [
    `Weir is ready at ${url}`,
    '',
    'Register what is measured, and send its usage:',
    `  ${command} account create acme`,
    `  ${command} key create --account acme`,
    // Usage from before a resource was there is refused, and a log at hand is always older.
    `  ${command} resource create www.acme.example --meter cdn --account acme --created-at ${since}`,
    `  ${command} ingest access-log access.log --domain www.acme.example`,
    `  ${command} --help`,
    '',
  ].join('\n')
}

function heading({ url, usage, accountId }: NextStepsInput): string {
  const [domain] = EXAMPLE_DOMAINS
  const [address] = EXAMPLE_ADDRESSES
  return [
    `Weir is ready at ${url}`,
    '',
    `It holds an example: account ${accountId}, project ${EXAMPLE_PROJECTS[0].id}, with domains such as`,
    `${domain.name} (${domain.id}), elastic IPs such as ${address.name} (${address.id}),`,
    `a gateway and packages, and usage from ${clockText(usage.startMs)} to ${clockText(usage.endMs)}.`,
  ].join('\n')
}

function keys({ isNew, publicKey, secret, command, accountId }: NextStepsInput): string {
  if (!isNew) {
    return [
      `Its key pair is ${publicKey}. The secret was shown at the first start; another pair:`,
      `  ${command} key create --account ${accountId}`,
    ].join('\n')
  }
  return [
    'Its key pair, for the calls below. The secret is not shown again.',
    `  export WEIR_KEY=${publicKey}`,
    `  export WEIR_SECRET=${secret}`,
  ].join('\n')
}

/** In the order of the contract, in which the fourth is Tencent's. */
function callSections(input: NextStepsInput): string[] {
  const [first, second, third, fifth] = ucloudSteps(input)
  return [
    ucloudSection(1, first, input),
    ucloudSection(2, second, input),
    ucloudSection(3, third, input),
    tencentSection(4, input),
    ucloudSection(5, fifth, input),
  ]
}

function ucloudSteps({ usage }: NextStepsInput): [Step, Step, Step, Step] {
  const [domain] = EXAMPLE_DOMAINS
  const [address] = EXAMPLE_ADDRESSES
  const { region, zone } = address
  const endSeconds = usage.endMs / 1000
  return [
    {
      title: 'Prepaid CDN traffic per area: total, used, left in GB',
      action: 'GetUcdnTrafficV2',
      parameters: {},
    },
    {
      title: 'Bandwidth and bytes of a domain in one province, per hour of the last day',
      action: 'GetUcdnProIspBandwidthV2',
      parameters: {
        BeginTime: endSeconds - DAY_MS / 1000,
        EndTime: endSeconds,
        Type: 1,
        'DomainId.0': domain.id,
        'Province.0': 'guangdong',
      },
    },
    {
      title: 'What an elastic IP sent, GB per billing day',
      action: 'GetThroughputDailyBillingInfo',
      parameters: {
        Region: region,
        EIPId: address.id,
        StartTime: usage.startMs / 1000,
        EndTime: endSeconds,
      },
    },
    {
      title: 'What is left of the exclusive package of that elastic IP, MB',
      action: 'GetEIPExclusiveUTPInfo',
      parameters: { Region: region, Zone: zone, EIPId: address.id },
    },
  ]
}

function ucloudSection(number: number, step: Step, input: NextStepsInput): string {
  const { url, body } = ucloudRequest(requestOf(step, input))
  // A GET: it can be opened in a browser too, and its signature has no end.
  return section(number, step, input, `curl -sS '${url}?${body}'`)
}

function tencentSection(number: number, input: NextStepsInput): string {
  const { usage, nowMs } = input
  const step = {
    title: 'Traffic of the gateway devices, bytes per day (this curl line is valid for 5 minutes,',
    action: 'GetFlowStatisticByRegion',
    parameters: {
      BeginTime: usage.startMs / 1000,
      // The last bucket is counted whole, so it is named by an instant inside.
      EndTime: (usage.endMs - FIVE_MINUTES_MS) / 1000,
      Type: 3,
      TimeGranularity: 2,
      GatewayType: 0,
    },
  }
  const title = `${step.title}\n   a new one: ${input.command} call … --curl)`
  const signed = tencentRequest(requestOf(step, input), nowMs)
  return section(number, { ...step, title }, input, formatCurl(signed))
}

function requestOf({ action, parameters }: Step, input: NextStepsInput): CallRequest {
  const { url, publicKey, secret: privateKey } = input
  return { url, action, parameters, publicKey, privateKey }
}

function section(number: number, step: Step, input: NextStepsInput, curl: string): string {
  const { title, action, parameters } = step
  const texts = Object.entries(parameters).map(([name, value]) => ` ${name}=${value}`)
  return [
    `${number}. ${title}`,
    `  ${input.command} call ${action}${texts.join('')}${urlOption(input)}`,
    `  ${curl}`,
  ].join('\n')
}

/** The address at which `weir call` asks anyway needs no option. */
function urlOption({ url }: NextStepsInput): string {
  return url === 'http://127.0.0.1:8080/' ? '' : ` --url ${url}`
}

function querySection(number: number, input: NextStepsInput): string {
  const { accountId, usage, dataDirectory, url } = input
  const [start, end] = [usage.startMs / 1000, usage.endMs / 1000]
  const measures = ['bytes', 'requests', 'p95_bps']
  const question = { granularity: 'total', groupBy: ['isp'], measures }
  const body = JSON.stringify({ account: accountId, meter: 'cdn', start, end, ...question })
  const place = dataDirectory === './data' ? '' : ` --data '${dataDirectory}'`
  return [
    `${number}. The native query: bytes, requests and the 95th percentile per carrier`,
    `  ${input.command} query cdn --account ${accountId} --start ${start} --end ${end} \\`,
    `    --granularity total --group-by isp --measures ${measures.join(',')}${urlOption(input)}${place}`,
    `  curl -sS '${url}v1/query' -H "Authorization: Bearer $(cat '${adminTokenPath(dataDirectory)}')" \\`,
    `    -H 'Content-Type: application/json' --data-raw '${body}'`,
  ].join('\n')
}

function ownUsage({ eipToken, url, nowMs }: NextStepsInput): string[] {
  if (eipToken === undefined) return []
  const record = {
    id: 'mine-1',
    time: Math.floor(nowMs / 1000),
    resource: EXAMPLE_ADDRESSES[0].name,
    direction: 'out',
    bytes: 1_000_000_000,
  }
  return [
    [
      'Send usage of your own, and ask again:',
      `  curl -sS '${url}v1/usage/eip?wait=loaded' -H 'Authorization: Bearer ${eipToken}' \\`,
      `    -H 'Content-Type: application/x-ndjson' --data-raw '${JSON.stringify(record)}'`,
    ].join('\n'),
  ]
}

function clockText(instantMs: EpochMs): string {
  const { year, month, day, hour, minute } = toLocal(instantMs, DEFAULT_ZONE)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${year}-${two(month)}-${two(day)} ${two(hour)}:${two(minute)} +08:00`
}

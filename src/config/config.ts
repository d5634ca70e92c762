import { z } from 'zod'
import { formatDuration, formatSize, parseDuration, parseSize } from './quantities.ts'

/** A length of time: `90s`, `5m`, `35d` in the file, milliseconds inside. */
const Duration = z.codec(z.string(), z.int().nonnegative(), {
  decode: (text, context) => {
    const durationMs = parseDuration(text)
    if (durationMs !== null) return durationMs
    context.issues.push({
      code: 'custom',
      input: text,
      message: `"${text}" is no duration; write one such as 500ms, 90s, 5m, 12h or 35d`,
    })
    return z.NEVER
  },
  encode: formatDuration,
})

/** A number of bytes: `50MB` (10^6), `1GiB` (2^30) in the file, bytes inside. */
const Size = z.codec(z.string(), z.int().nonnegative(), {
  decode: (text, context) => {
    const sizeBytes = parseSize(text)
    if (sizeBytes !== null) return sizeBytes
    context.issues.push({
      code: 'custom',
      input: text,
      message: `"${text}" is no size; write one such as 500kB, 50MB or 1GiB`,
    })
    return z.NEVER
  },
  encode: formatSize,
})

/** What a process does. */
export const ROLES = ['ingest', 'worker', 'api'] as const
export type Role = (typeof ROLES)[number]

const Server = z.strictObject({
  host: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .describe('Address to listen on. `0.0.0.0` or `::` answers other machines too.'),
  port: z.int().min(0).max(65_535).default(8080).describe('Port; 0 takes any free one.'),
  publicUrl: z
    .url()
    .optional()
    .describe('How clients reach this server, for the commands that Weir prints.'),
  bodyBytesMax: Size.prefault('64MiB').describe(
    'Largest request body, before and after decompression. Larger ones get 413.',
  ),
  inFlightBytesMax: Size.prefault('256MiB').describe(
    'Bytes of usage request bodies in memory at the same time. Above it, 429 with Retry-After.',
  ),
  requestTimeout: Duration.prefault('60s').describe('Time for a request to arrive completely.'),
  waitMax: Duration.prefault('30s').describe(
    'Longest wait of `?wait=loaded` before the answer is 202.',
  ),
  stopTimeout: Duration.prefault('10s').describe(
    'Time that requests under way are given when the server stops.',
  ),
  trustProxy: z
    .array(z.string())
    .default([])
    .describe('Addresses or networks of proxies whose X-Forwarded-For is believed.'),
})

const Data = z.strictObject({
  directory: z
    .string()
    .min(1)
    .default('./data')
    .describe('Where everything is kept that has no place of its own. One process at a time.'),
})

const UsageStore = z.strictObject({
  location: z
    .string()
    .optional()
    .describe(
      'A directory (embedded engine; default `<data>/usage`) or the URL of a ClickHouse server, ' +
        '`http://user:password@host:8123/database`.',
    ),
  cluster: z
    .string()
    .min(1)
    .optional()
    .describe('Name of the ClickHouse cluster whose tables are replicated and sharded.'),
  queryConnections: z.int().min(1).max(64).default(4).describe('Queries that run side by side.'),
  requestTimeout: Duration.prefault('2m').describe('Longest time for one statement.'),
})

const ControlStore = z.strictObject({
  location: z
    .string()
    .optional()
    .describe('A SQLite file (default `<data>/control.db`) or a `postgres://` URL.'),
})

const Journal = z.strictObject({
  directory: z.string().optional().describe('Default `<data>/journal`. A disk of its own is best.'),
  bytesMax: Size.prefault('4GiB').describe(
    'Accepted bytes that wait to be loaded. Above it, senders get 503 and tailing pauses.',
  ),
  segmentBytes: Size.prefault('64MiB').describe('Length after which a new journal file begins.'),
})

const Batch = z.strictObject({
  bytesMax: Size.prefault('256MiB').describe('Bytes of one load.'),
  linesMax: z
    .int()
    .min(1)
    .max(5_000_000)
    .default(1_000_000)
    .describe('Records of one load; of log lines twice as many.'),
  framesMax: z.int().min(1).max(1000).default(1000).describe('Accepted requests of one load.'),
})

const Ingest = z.strictObject({
  journal: Journal.prefault({}).describe('What is accepted and not yet loaded.'),
  batch: Batch.prefault({}).describe('Largest load into the usage store.'),
  retry: Duration.prefault('1s').describe('First wait after a failed load; doubles to a minute.'),
  late: Duration.prefault('35d').describe(
    'Age after which usage is rejected, and for which record ids are remembered.',
  ),
  skew: Duration.prefault('5m').describe('How far in the future usage may lie.'),
})

const AccessLogSource = z.strictObject({
  type: z.literal('access-log').describe('Web server log files, followed while they grow.'),
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'use 1-63 of a-z, 0-9 and -, not starting with -')
    .describe('Name of the source; never reuse one, its read positions are kept under it.'),
  paths: z
    .array(z.string().min(1))
    .min(1)
    .describe('Files, directories, or patterns such as `/var/log/nginx/*.access.log`.'),
  format: z
    .string()
    .min(1)
    .default('combined')
    .describe('`combined`, `common`, `json`, or an nginx log_format string.'),
  domain: z.string().min(1).optional().describe('Domain of every line, for formats without host.'),
  clientFrom: z
    .enum(['remote_addr', 'x_forwarded_for'])
    .default('remote_addr')
    .describe('Which field names the client: the connection, or the first forwarded address.'),
  timeZone: z.string().min(1).optional().describe('IANA zone of times written without offset.'),
  pollInterval: Duration.prefault('1s').describe('How often files are looked at.'),
  expects: z
    .enum(['continuous', 'sporadic'])
    .default('continuous')
    .describe(
      'What completeness expects: `continuous`, that its files are there and read in every five ' +
        'minutes; `sporadic`, nothing.',
    ),
})

const PackName = z.string().min(1)

const DefaultRules = z.strictObject({
  cdn: PackName.default('ucloud-cdn').describe(
    'Rule pack by which the CDN usage of an account is billed that has no charge mode.',
  ),
  eip: PackName.default('ucloud-eip').describe('The same for elastic IPs.'),
  mna: PackName.default('tencent-mna').describe('The same for multi-network gateways.'),
})

const ChargeTypes = z.strictObject({
  traffic: PackName.default('ucloud-cdn').describe(
    'Rule pack that `SwitchUcdnChargeType` means by `traffic`.',
  ),
  bandwidth: PackName.default('ucloud-cdn-bandwidth').describe('And by `bandwidth`.'),
})

const Billing = z.strictObject({
  settle: Duration.prefault('12h').describe(
    'Wall-clock time after an account-local midnight at which the day before closes.',
  ),
  rules: DefaultRules.prefault({}).describe('Rule packs of accounts without a charge mode.'),
  chargeTypes: ChargeTypes.prefault({}).describe('Rule packs of the vendor’s charge types.'),
})

const Smtp = z
  .strictObject({
    host: z
      .string()
      .min(1)
      .optional()
      .describe('Mail server that alerts are handed to; without it no mail is sent.'),
    port: z.int().min(1).max(65_535).default(587).describe('Port; 465 for `tls: implicit`.'),
    tls: z
      .enum(['starttls', 'implicit', 'none'])
      .default('starttls')
      .describe(
        '`starttls`: encrypted or not sent; `implicit`: encrypted from the first byte; `none`: ' +
          'in the clear, for a server on the same machine.',
      ),
    caFile: z
      .string()
      .optional()
      .describe('PEM file with the only certificates to trust; default those of Node.js.'),
    user: z.string().min(1).optional().describe('Name to log in with; none: no login.'),
    password: z
      .string()
      .min(1)
      .optional()
      .describe('Better in `WEIR_SMTP__PASSWORD` or in a file than here.'),
    passwordFile: z.string().optional().describe('File that holds the password.'),
    from: z.email().optional().describe('Address that mails come from; required with host.'),
  })
  .refine(({ host, from }) => host === undefined || from !== undefined, {
    path: ['from'],
    error: 'name the address that mails come from',
  })
  .refine(
    ({ user, password, passwordFile }) => {
      const given = [password, passwordFile].filter((each) => each !== undefined).length
      return given === (user === undefined ? 0 : 1)
    },
    {
      path: ['user'],
      error: 'give user together with one of password and passwordFile, or none of them',
    },
  )

const Limits = z.strictObject({
  requestsPerSecond: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(20)
    .describe('Tencent calls per account, action and second; the vendor documents 20.'),
})

const Telemetry = z.strictObject({
  logLevel: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('Least severe log line that is written.'),
})

const Secrets = z.strictObject({
  masterKeyFile: z
    .string()
    .optional()
    .describe(
      'File with the key that seals stored secrets (32 bytes, base64; default ' +
        '`<data>/master-key`, made on the first start). Losing it loses them.',
    ),
})

/** The configuration file: everything optional, unknown keys refused. */
export const ConfigFile = z.strictObject({
  server: Server.prefault({}).describe('The HTTP listener.'),
  data: Data.prefault({}).describe('Local files.'),
  usageStore: UsageStore.prefault({}).describe('Where usage lives.'),
  controlStore: ControlStore.prefault({}).describe('Where catalog and books live.'),
  roles: z
    .array(z.enum(ROLES))
    .min(1)
    .default([...ROLES])
    .describe(
      'What this process does: `ingest` takes usage in and follows logs, `worker` closes days, ' +
        '`api` answers. Embedded, one process does everything.',
    ),
  ingest: Ingest.prefault({}).describe('From accepted to queryable.'),
  sources: z
    .array(AccessLogSource)
    .max(1000)
    .default([])
    .superRefine((sources, context) => {
      const seen = new Set<string>()
      for (const [index, { name }] of sources.entries()) {
        if (seen.has(name)) {
          context.addIssue({
            code: 'custom',
            path: [index, 'name'],
            message: `two sources are called "${name}"; names must differ`,
          })
        }
        seen.add(name)
      }
    })
    .describe('Inputs that Weir fetches by itself.'),
  billing: Billing.prefault({}).describe('Daily closing.'),
  smtp: Smtp.prefault({}).describe('The mail server for alerts.'),
  limits: Limits.prefault({}).describe('What one client may take.'),
  telemetry: Telemetry.prefault({}).describe('Logs.'),
  secrets: Secrets.prefault({}).describe('Keys at rest.'),
})

/** What a configuration file may say. */
export type ConfigInput = z.input<typeof ConfigFile>
type Parsed = z.output<typeof ConfigFile>

/** Where each thing is kept, once the data directory is known. */
type Located<Section, Key extends keyof Section> = Omit<Section, Key> & {
  readonly [K in Key]: string
}

/**
 * The whole configuration. Durations are milliseconds, sizes are bytes, places are never missing.
 */
export type Config = Readonly<
  Omit<Parsed, 'usageStore' | 'controlStore' | 'secrets' | 'ingest'> & {
    usageStore: Located<Parsed['usageStore'], 'location'>
    controlStore: Located<Parsed['controlStore'], 'location'>
    secrets: Located<Parsed['secrets'], 'masterKeyFile'>
    ingest: Omit<Parsed['ingest'], 'journal'> & {
      journal: Located<Parsed['ingest']['journal'], 'directory'>
    }
  }
>

export type ServerConfig = Config['server']
export type IngestConfig = Config['ingest']
export type SourceConfig = Config['sources'][number]

/** Puts what has no place of its own into the data directory. */
export function locate(parsed: Parsed): Config {
  const inData = (name: string): string => `${parsed.data.directory.replace(/\/+$/, '')}/${name}`
  const { usageStore, controlStore, secrets, ingest } = parsed
  return {
    ...parsed,
    usageStore: { ...usageStore, location: usageStore.location ?? inData('usage') },
    controlStore: { ...controlStore, location: controlStore.location ?? inData('control.db') },
    secrets: { ...secrets, masterKeyFile: secrets.masterKeyFile ?? inData('master-key') },
    ingest: {
      ...ingest,
      journal: {
        ...ingest.journal,
        directory: ingest.journal.directory ?? inData('journal'),
      },
    },
  }
}

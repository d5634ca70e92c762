import { Command, InvalidArgumentError, Option } from 'commander'
import { z } from 'zod'
import { AppError, toAppError } from '../core/errors.ts'

/** What the command touches outside of itself; a test passes its own. */
export interface RejectedIo {
  /** Calls the admin API, below `/admin/v1`; options are those of the command line. */
  readonly callAdmin: (
    options: Readonly<Record<string, unknown>>,
    method: 'GET' | 'POST',
    path: string,
    body?: object,
  ) => Promise<unknown>
  readonly print: (text: string) => void
  readonly complain: (text: string) => void
  readonly exitWith: (code: number) => void
}

interface Filter {
  readonly source?: string
  readonly meter?: string
  readonly detail?: string
}

interface ListOptions extends Filter {
  readonly reason?: string
  readonly limit: number
  readonly json?: boolean
}

interface ReplayOptions extends Filter {
  readonly format?: string
  readonly domain?: string
  readonly clientFrom: string
  readonly timeZone?: string
}

const Page = z.object({
  items: z.array(
    z.object({
      frame: z.number(),
      line: z.number(),
      receivedMs: z.number(),
      source: z.string(),
      meter: z.string(),
      reason: z.string(),
      detail: z.string(),
      raw: z.string(),
    }),
  ),
  counts: z
    .array(
      z.object({ source: z.string(), meter: z.string(), reason: z.string(), lines: z.number() }),
    )
    .optional(),
  nextCursor: z.string().nullable(),
})

const Replayed = z.object({
  lines: z.number(),
  accepted: z.number(),
  duplicate: z.number(),
  stillRejected: z.number(),
})

/** Most lines asked for at a time. */
const PAGE_LINES_MAX = 1000

/** Builds `weir rejected`: shows lines that were not usable, and takes them in again. */
export function rejectedCommand(io: RejectedIo): Command {
  const list = new Command('list')
    .summary('show rejected lines with their reason and raw text')
    .option('--reason <reason>', 'only lines with this reason, such as unknown_resource')
    .option('--limit <lines>', 'how many lines to show at most', parseLimit, 50)
    .option('--json', 'one JSON object per line')
    .action(async (options: ListOptions, command: Command) => {
      await run(io, () => listRejected(options, command.optsWithGlobals(), io))
    })
  const replay = new Command('replay')
    .summary('take rejected lines in again, each exactly once')
    .description(
      'Takes in those rejected lines that a later registration or another format explains,\n' +
        'and those from the future whose time has come. What is too_old or line_too_long stays.\n' +
        'Each line moves: whatever happens in between, it counts once.',
    )
    .option('--format <format>', 'read log lines this way instead')
    .option('--domain <domain>', 'with --format: the domain of every line')
    .addOption(
      new Option('--client-from <where>', 'with --format: where the client address is')
        .choices(['remote_addr', 'x_forwarded_for'])
        .default('remote_addr'),
    )
    .option('--time-zone <zone>', 'with --format: zone of times that carry no offset')
    .action(async (options: ReplayOptions, command: Command) => {
      await run(io, () => replayRejected(options, command.optsWithGlobals(), io))
    })
  for (const command of [list, replay]) {
    command
      .option('--source <name>', 'only lines of this source')
      .option('--meter <meter>', 'only lines of this meter')
      .option('--detail <name>', 'only lines of this domain, address or device')
  }
  return new Command('rejected')
    .summary('lines that were not usable')
    .addCommand(list)
    .addCommand(replay)
}

async function run(io: RejectedIo, action: () => Promise<void>): Promise<void> {
  try {
    await action()
  } catch (error) {
    io.complain(`weir rejected: ${toAppError(error).message}\n`)
    io.exitWith(1)
  }
}

async function listRejected(
  options: ListOptions,
  all: Readonly<Record<string, unknown>>,
  io: RejectedIo,
): Promise<void> {
  let shown = 0
  let cursor: string | null = null
  let counts: z.output<typeof Page>['counts']
  do {
    const limit = Math.min(options.limit - shown, PAGE_LINES_MAX)
    const query = new URLSearchParams({ limit: String(limit) })
    for (const [name, value] of Object.entries({ ...filterOf(options), reason: options.reason })) {
      if (value !== undefined) query.set(name, value)
    }
    if (cursor !== null) query.set('cursor', cursor)
    const page = read(Page, await io.callAdmin(all, 'GET', `/rejected?${query.toString()}`))
    counts ??= page.counts
    for (const item of page.items) {
      io.print(options.json === true ? `${JSON.stringify(item)}\n` : formatItem(item))
    }
    shown += page.items.length
    cursor = page.items.length === 0 ? null : page.nextCursor
  } while (cursor !== null && shown < options.limit)
  if (options.json !== true) io.print(formatCounts(counts ?? [], shown))
}

async function replayRejected(
  options: ReplayOptions,
  all: Readonly<Record<string, unknown>>,
  io: RejectedIo,
): Promise<void> {
  const { format, domain, clientFrom, timeZone } = options
  const isLost = format === undefined && (domain !== undefined || timeZone !== undefined)
  if (isLost) {
    throw new AppError(
      'parameter_missing',
      '--domain and --time-zone say how to read lines: add --format.',
    )
  }
  const spec =
    format === undefined
      ? {}
      : { format, clientFrom, domain: domain ?? null, timeZone: timeZone ?? null }
  const answer = await io.callAdmin(all, 'POST', '/rejected/replay', {
    ...filterOf(options),
    ...spec,
  })
  const { lines, accepted, duplicate, stillRejected } = read(Replayed, answer)
  io.print(
    `${lines} lines tried again: ${accepted} accepted, ${duplicate} duplicate, ${stillRejected} still rejected\n`,
  )
}

function filterOf({ source, meter, detail }: Filter): Filter {
  return {
    ...(source === undefined ? {} : { source }),
    ...(meter === undefined ? {} : { meter }),
    ...(detail === undefined ? {} : { detail }),
  }
}

/** One line for what is known of it, one for its text; what a terminal would obey is escaped. */
function formatItem(item: z.output<typeof Page>['items'][number]): string {
  const when = new Date(item.receivedMs).toISOString()
  const detail = item.detail === '' ? '' : ` ${printable(item.detail)}`
  const raw = printable(item.raw)
  return `${when}  ${item.source}  ${item.meter}  ${item.reason}${detail}\n    ${raw.slice(0, 500)}\n`
}

function printable(text: string): string {
  return text.replaceAll(
    // oxlint-disable-next-line no-control-regex
    /[\u0000-\u001F\u007F-\u009F]/g,
    (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
}

function formatCounts(counts: NonNullable<z.output<typeof Page>['counts']>, shown: number): string {
  const total = counts.reduce((sum, { lines }) => sum + lines, 0)
  if (total === 0) return 'No rejected lines.\n'
  const rows = counts.map(
    ({ source, meter, reason, lines }) =>
      `  ${String(lines).padStart(10)}  ${reason}  ${source}  ${meter}\n`,
  )
  return `\n${shown} of ${total} rejected lines shown:\n${rows.join('')}`
}

function parseLimit(text: string): number {
  const limit = Number(text)
  if (Number.isInteger(limit) && limit > 0) return limit
  throw new InvalidArgumentError('It must be a positive integer.')
}

function read<Schema extends z.ZodType>(schema: Schema, answer: unknown): z.output<Schema> {
  const parsed = schema.safeParse(answer)
  if (parsed.success) return parsed.data
  throw new AppError('internal', 'The server answers in another version of this protocol.', {
    cause: parsed.error,
  })
}

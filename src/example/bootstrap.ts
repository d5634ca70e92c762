import { createHash } from 'node:crypto'
import type { Catalog } from '../catalog/catalog.ts'
import type { Account } from '../catalog/model.ts'
import type { CatalogRows } from '../catalog/ports.ts'
import type { Clock } from '../core/clock.ts'
import { AppError, assert } from '../core/errors.ts'
import { DAY_MS, FIVE_MINUTES_MS, floorTo, type Interval } from '../core/period.ts'
import type { MeterName } from '../meters/meter.ts'
import { accessLogPieces, EXAMPLE_LOG_FORMAT, type ExamplePlan } from './access-log.ts'
import { applyExample, EXAMPLE_ACTOR, type IngestTokens } from './apply.ts'
import { eipRecordPieces, mnaRecordPieces } from './records.ts'
import { EXAMPLE_ACCOUNT, EXAMPLE_PROJECTS, EXAMPLE_SOURCES } from './resources.ts'

/** What became of accepted lines. */
interface LoadedLines {
  readonly meter: MeterName
  readonly outcome: {
    readonly lines: number
    readonly rejected: Readonly<Partial<Record<string, number>>>
  }
}

/** What the example needs of the server it is made in. */
export interface BootstrapPorts {
  readonly catalog: Pick<Catalog, 'rows' | 'as'>
  readonly ingest: {
    acceptLog(chunk: {
      source: string
      onlyAccount: string
      spec: { format: string; domain: null; clientFrom: 'remote_addr'; timeZone: null }
      file: {
        fileId: string
        headHash: string
        path: string
        offset: number
        length: number
        sha256: string
      }
      body: Buffer
      lines: number
      oversize: readonly never[]
    }): Promise<{ readonly seq: number }>
    acceptUsage(request: {
      source: string
      meter: MeterName
      onlyAccount: string
      body: Buffer
      lines: number
      idempotencyKey: string
    }): Promise<{ readonly seq: number }>
    files(headHash: string): Promise<
      readonly {
        readonly fileId: string
        readonly chunks: readonly { readonly offset: number; readonly sha256: string }[]
      }[]
    >
    loaded(seq: number, timeoutMs: number): Promise<LoadedLines | undefined>
  }
}

/** How much usage to make. */
export interface BootstrapOptions {
  readonly seed: number
  readonly days: number
  /** Lines of the access log. */
  readonly lines: number
  /** Longest wait until a part of the usage is loaded. */
  readonly loadMsMax: number
}

/** Enough to see the shape of three days, little enough to be ready within seconds. */
export const BOOTSTRAP_DEFAULTS: BootstrapOptions = {
  seed: 1,
  days: 3,
  lines: 60_000,
  loadMsMax: 120_000,
}

/** The example as it stands: what a call needs besides the secret. */
export interface Example {
  readonly account: Account
  readonly publicKey: string
  /** Where the usage lies. */
  readonly usage: Interval
}

/** An example that was made or completed just now. */
export interface NewExample extends Example {
  /** Told here and never again. */
  readonly secret: string
  readonly tokens: IngestTokens
  /** Lines of log and records that were taken in. */
  readonly lines: number
  readonly rejected: number
}

/** An older one cannot be completed: usage is accepted up to 35 days late. */
const AGE_MS_MAX = 30 * DAY_MS

/** Bytes of log in one frame. */
const CHUNK_BYTES = 16 << 20

/**
 * Fills an empty server with the example: catalog, usage of the last days, a key pair.
 *
 * Shape: undefined, and nothing changed, where there is an account already. An example that was
 * interrupted is completed: its usage is the same again, and what is known of it counts once.
 * Time: resolves when all usage is loaded; it ends with the last whole five minutes before the
 * account was made.
 * Errors: `timeout` when loading takes longer than `loadMsMax`, starting again goes on; `conflict`
 * when the interrupted example is older than 30 days.
 */
export async function bootstrapExample(
  ports: BootstrapPorts,
  clock: Clock,
  options: Partial<BootstrapOptions> = {},
): Promise<NewExample | undefined> {
  const { catalog, ingest } = ports
  const sizes = { ...BOOTSTRAP_DEFAULTS, ...options }
  if (!(await isWanted(catalog.rows))) return undefined
  const account = await ensureAccount(catalog)
  refuseOld(account, clock.nowMs())
  const usage = usageOf(account, sizes.days)
  const tokens = await applyExample(catalog, usage.endMs)
  const plan = { seed: sizes.seed, ...usage, lines: sizes.lines }
  const loaded = await feed(plan, account.id, sizes.loadMsMax, ingest)
  // Last, because the key pair is the sign that the example is complete.
  const { key, secret } = await catalog
    .as(EXAMPLE_ACTOR)
    .createKey({ account: account.id, name: 'example' })
  return { account, publicKey: key.publicKey, secret, tokens, usage, ...loaded }
}

/** Finds a complete example with a key pair that still works; undefined when there is none. */
export async function findExample(rows: CatalogRows): Promise<Example | undefined> {
  if (!(await isOurs(rows))) return undefined
  const account = await rows.accounts.get(EXAMPLE_ACCOUNT.id)
  const key = await rows.keys.find({ accountId: EXAMPLE_ACCOUNT.id, active: true })
  if (account === undefined || key === undefined) return undefined
  return { account, publicKey: key.publicKey, usage: usageOf(account, BOOTSTRAP_DEFAULTS.days) }
}

function refuseOld(account: Account, nowMs: number): void {
  if (nowMs - account.createdMs <= AGE_MS_MAX) return
  throw new AppError(
    'conflict',
    'The example was begun too long ago to be completed: its usage is older than Weir accepts. Start with --empty, or on another data directory.',
  )
}

/** The account remembers when the example was begun, so that usage made again is the same. */
function usageOf(account: Account, days: number): Interval {
  const endMs = floorTo(account.createdMs, FIVE_MINUTES_MS)
  return { startMs: endMs - days * DAY_MS, endMs }
}

/** Nothing is here yet, or an example of ours that was not completed. */
async function isWanted(rows: CatalogRows): Promise<boolean> {
  if ((await rows.accounts.find({})) === undefined) return true
  const key = await rows.keys.find({ accountId: EXAMPLE_ACCOUNT.id })
  return key === undefined && (await isOurs(rows))
}

/** An operator may apply the example's catalog as well; that account is not ours to fill. */
async function isOurs(rows: CatalogRows): Promise<boolean> {
  const made = { actor: EXAMPLE_ACTOR, action: 'account.create', target: EXAMPLE_ACCOUNT.id }
  const { items } = await rows.audit.list(made, { limit: 1, cursor: null })
  return items.length > 0
}

async function ensureAccount(catalog: BootstrapPorts['catalog']): Promise<Account> {
  const { id, name } = EXAMPLE_ACCOUNT
  const [project] = EXAMPLE_PROJECTS
  return (
    (await catalog.rows.accounts.get(id)) ??
    (await catalog.as(EXAMPLE_ACTOR).createAccount({
      id,
      name,
      defaultProject: project.name,
      defaultProjectId: project.id,
    }))
  )
}

async function feed(
  plan: ExamplePlan,
  accountId: string,
  loadMsMax: number,
  ingest: BootstrapPorts['ingest'],
): Promise<{ lines: number; rejected: number }> {
  // The log comes first: frames are loaded oldest first, so when the records are loaded, log
  // chunks that an earlier attempt left in the journal are loaded too.
  const seqs = await feedLog(plan, accountId, ingest)
  seqs.push(
    await feedRecords('eip', eipRecordPieces(plan), { plan, accountId, ingest }),
    await feedRecords('mna', mnaRecordPieces(plan), { plan, accountId, ingest }),
  )
  // Of the log, what an earlier attempt brought counts as well.
  let { lines } = plan
  let rejected = 0
  for (const seq of seqs) {
    const frame = await ingest.loaded(seq, loadMsMax)
    if (frame === undefined) {
      throw new AppError(
        'timeout',
        'The example is taking longer than expected to load; what is accepted is kept. Start Weir again to go on.',
      )
    }
    if (frame.meter !== 'cdn') lines += frame.outcome.lines
    for (const count of Object.values(frame.outcome.rejected)) rejected += count ?? 0
  }
  return { lines, rejected }
}

async function feedLog(
  plan: ExamplePlan,
  onlyAccount: string,
  ingest: BootstrapPorts['ingest'],
): Promise<number[]> {
  const seqs: number[] = []
  let offset = 0
  let headHash = ''
  let fileId = ''
  for (const body of joined(accessLogPieces(plan), CHUNK_BYTES)) {
    const sha256 = hashOf(body)
    if (offset === 0) {
      headHash = hashOf(body.subarray(0, body.indexOf(LF)))
      fileId = hashOf(`${headHash} 0 ${sha256}`).slice(0, 32)
    }
    const files = await ingest.files(headHash)
    const isKnown = files.some(({ chunks }) =>
      chunks.some((chunk) => chunk.offset === offset && chunk.sha256 === sha256),
    )
    if (!isKnown) {
      const { seq } = await ingest.acceptLog({
        source: EXAMPLE_SOURCES.cdn,
        onlyAccount,
        spec: {
          format: EXAMPLE_LOG_FORMAT,
          domain: null,
          clientFrom: 'remote_addr',
          timeZone: null,
        },
        file: { fileId, headHash, path: 'example', offset, length: body.length, sha256 },
        body,
        lines: countLines(body),
        oversize: [],
      })
      seqs.push(seq)
    }
    offset += body.length
  }
  return seqs
}

async function feedRecords(
  meter: 'eip' | 'mna',
  pieces: Iterable<string>,
  to: {
    readonly plan: ExamplePlan
    readonly accountId: string
    readonly ingest: BootstrapPorts['ingest']
  },
): Promise<number> {
  const { plan, accountId, ingest } = to
  const [body, rest] = joined(pieces, Number.POSITIVE_INFINITY)
  assert(body !== undefined && rest === undefined, 'the records of a meter are one body')
  const { seq } = await ingest.acceptUsage({
    source: EXAMPLE_SOURCES[meter],
    meter,
    onlyAccount: accountId,
    body,
    lines: countLines(body),
    idempotencyKey: `example-${meter}-${plan.seed}-${plan.startMs}-${plan.endMs}`,
  })
  return seq
}

const LF = 10

/** Joins pieces into buffers of about `bytes`. */
function* joined(pieces: Iterable<string>, bytes: number): Generator<Buffer> {
  let parts: Buffer[] = []
  let held = 0
  for (const piece of pieces) {
    const part = Buffer.from(piece, 'latin1')
    parts.push(part)
    held += part.length
    if (held < bytes) continue
    yield Buffer.concat(parts)
    parts = []
    held = 0
  }
  if (held > 0) yield Buffer.concat(parts)
}

function countLines(body: Buffer): number {
  let lines = 0
  for (let at = body.indexOf(LF); at !== -1; at = body.indexOf(LF, at + 1)) lines += 1
  return lines
}

function hashOf(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}

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

/** The example as it stands: what a first call needs. */
export interface ReadyExample {
  readonly account: Account
  /** The default project. */
  readonly projectId: string
  readonly publicKey: string
  /** Told here and never again. */
  readonly secret: string
  readonly tokens: IngestTokens
  /** Where the usage lies. */
  readonly usage: Interval
  /** Lines of log and records that were taken in. */
  readonly lines: number
  readonly rejected: number
}

/** Bytes of log in one frame. */
const CHUNK_BYTES = 16 << 20

/**
 * Fills an empty server with the example: catalog, usage of the last days, a key pair.
 *
 * Shape: undefined, and nothing changed, where there is an account already. An example that was
 * interrupted is completed: its usage is the same again, and what is known of it counts once.
 * Time: resolves when all usage is loaded; it ends with the last whole five minutes before the
 * account was made.
 * Errors: `timeout` when loading takes longer than `loadMsMax`; starting again goes on.
 */
export async function bootstrapExample(
  ports: BootstrapPorts,
  clock: Clock,
  options: Partial<BootstrapOptions> = {},
): Promise<ReadyExample | undefined> {
  const { catalog, ingest } = ports
  const sizes = { ...BOOTSTRAP_DEFAULTS, ...options }
  if (!(await isWanted(catalog.rows))) return undefined
  const account = await ensureAccount(catalog)
  // The account remembers when the example was begun, so that usage made again is the same.
  const endMs = floorTo(Math.min(account.createdMs, clock.nowMs()), FIVE_MINUTES_MS)
  const tokens = await applyExample(catalog, endMs)
  const startMs = endMs - sizes.days * DAY_MS
  const plan = { seed: sizes.seed, startMs, endMs, lines: sizes.lines }
  const loaded = await feed(plan, account.id, sizes.loadMsMax, ingest)
  // Last, because the key pair is the sign that the example is complete.
  const { key, secret } = await catalog
    .as(EXAMPLE_ACTOR)
    .createKey({ account: account.id, name: 'example' })
  return {
    account,
    projectId: EXAMPLE_PROJECTS[0].id,
    publicKey: key.publicKey,
    secret,
    tokens,
    usage: { startMs, endMs },
    ...loaded,
  }
}

/** Nothing is here yet, or an example of ours that was not completed. */
async function isWanted(rows: CatalogRows): Promise<boolean> {
  if ((await rows.accounts.find({})) === undefined) return true
  const { id } = EXAMPLE_ACCOUNT
  // An operator may apply the example's catalog as well; that one is not ours to fill.
  const ours = { actor: EXAMPLE_ACTOR, action: 'account.create', target: id }
  const { items } = await rows.audit.list(ours, { limit: 1, cursor: null })
  return items.length > 0 && (await rows.keys.find({ accountId: id })) === undefined
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
  let lines = 0
  let rejected = 0
  for (const seq of seqs) {
    const frame = await ingest.loaded(seq, loadMsMax)
    if (frame === undefined) {
      throw new AppError(
        'timeout',
        'The example is taking longer than expected to load; what is accepted is kept. Start Weir again to go on.',
      )
    }
    lines += frame.outcome.lines
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

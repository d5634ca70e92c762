import { describe, expect, test } from 'vitest'
import type { FrameMeta } from './batch.ts'
import { createReplay, type ReplayableLine } from './replay.ts'

const RECORDS = JSON.stringify({ kind: 'records' })
const SPEC = { format: '$host', domain: null, clientFrom: 'remote_addr', timeZone: null } as const
const LOG = JSON.stringify({ kind: 'log', spec: SPEC })

function line(frame: number, number: number, more: Partial<ReplayableLine> = {}): ReplayableLine {
  return {
    batch: frame,
    frame,
    line: number,
    receivedMs: frame * 1000,
    source: 'edge',
    meter: 'eip',
    format: RECORDS,
    reason: 'unknown_resource',
    raw: Buffer.from(`known ${frame}.${number}`),
    ...more,
  }
}

interface Taken {
  readonly meta: Omit<FrameMeta, 'oversize' | 'file' | 'idempotencyKey'>
  readonly text: string
}

interface World {
  readonly rejected: ReplayableLine[]
  readonly taken: Taken[]
  /** Frames that the store does not load. */
  readonly stuck: Set<number>
  readonly replay: ReturnType<typeof createReplay>
}

/** Rejected lines in memory; replayed ones that say `known` are taken, the others come back. */
function createWorld(lines: readonly ReplayableLine[], pageLines = 1000): World {
  const rejected = [...lines]
  const taken: Taken[] = []
  const stuck = new Set<number>()
  const waiting = new Map<number, Taken['meta']>()
  const accepted = new Map<number, number>()
  let last = 100

  function load(seq: number, { replays }: Taken['meta']): void {
    let count = 0
    for (const [index, { frame, line: number }] of replays.entries()) {
      const at = rejected.findIndex((found) => found.frame === frame && found.line === number)
      const [found] = at === -1 ? [] : rejected.splice(at, 1)
      if (found?.raw.toString().startsWith('known')) count += 1
      else if (found !== undefined) rejected.push({ ...found, frame: seq, line: index + 1 })
    }
    accepted.set(seq, count)
    waiting.delete(seq)
  }

  const isAfter = (found: ReplayableLine, after: { frame: number; line: number } | null): boolean =>
    after === null ||
    found.frame > after.frame ||
    (found.frame === after.frame && found.line > after.line)

  const replay = createReplay({
    ingest: {
      async acceptReplay(meta, body) {
        last += 1
        taken.push({ meta, text: body.toString() })
        waiting.set(last, meta)
        return last
      },
      async loaded(seq) {
        if (stuck.has(seq)) return undefined
        const meta = waiting.get(seq)
        if (meta !== undefined) load(seq, meta)
        const outcome = { seq, lines: 0, accepted: accepted.get(seq) ?? 0, duplicate: 0 }
        return {
          seq,
          source: 'edge',
          meter: 'eip',
          receivedMs: 0,
          loadedMs: 0,
          outcome: { ...outcome, rejected: {}, bytes: 0n },
        }
      },
    },
    lastFrame: () => last,
    waiting: () => [...waiting.keys()],
    onlyAccount: async (source) => (source === 'bound' ? 'acc-1' : null),
    list: async (filter, { limit, after }) =>
      rejected
        .filter(({ reason }) => filter.reasons.includes(reason))
        .filter((found) => isAfter(found, after))
        .sort((one, other) => one.frame - other.frame || one.line - other.line)
        .slice(0, Math.min(limit, pageLines)),
  })
  return { rejected, taken, stuck, replay }
}

describe('replaying rejected lines', () => {
  test('moves what is explained, keeps the rest, and ends', async () => {
    const unknown = { raw: Buffer.from('nobody') }
    const lines = [line(1, 1), line(1, 2, unknown), line(2, 1, unknown), line(2, 2)]
    const world = createWorld(lines, 1)
    expect(await world.replay({})).toEqual({
      lines: 4,
      accepted: 2,
      duplicate: 0,
      stillRejected: 2,
    })
    expect(world.rejected.map(({ raw }) => raw.toString())).toEqual(['nobody', 'nobody'])
    // Lines that came back are not read again in the same walk.
    expect(world.taken).toHaveLength(4)
    expect(await world.replay({})).toMatchObject({ lines: 2, stillRejected: 2 })
  })

  test('groups lines of one source, meter and reading, and names which they replace', async () => {
    const world = createWorld([
      line(1, 1),
      line(1, 2, { source: 'bound' }),
      line(2, 1, { meter: 'cdn', format: LOG }),
      line(3, 9),
    ])
    await world.replay({})
    expect(world.taken).toMatchObject([
      {
        text: 'known 1.1\nknown 3.9\n',
        meta: {
          source: 'edge',
          meter: 'eip',
          reading: { kind: 'records' },
          lines: 2,
          receivedMs: 3000,
          onlyAccount: null,
          replays: [
            { batch: 1, frame: 1, line: 1 },
            { batch: 3, frame: 3, line: 9 },
          ],
        },
      },
      { meta: { source: 'bound', onlyAccount: 'acc-1' } },
      { meta: { meter: 'cdn', reading: { kind: 'log', spec: SPEC } } },
    ])
  })

  test('another format is for log lines only', async () => {
    const world = createWorld([line(1, 1), line(1, 2, { meter: 'cdn', format: LOG })])
    await world.replay({ spec: { ...SPEC, format: '$uri' } })
    expect(world.taken.map(({ meta }) => meta.reading)).toEqual([
      { kind: 'records' },
      { kind: 'log', spec: { ...SPEC, format: '$uri' } },
    ])
  })

  test('leaves alone what neither a registration, nor a format, nor time explains', async () => {
    const world = createWorld([
      line(1, 1, { reason: 'too_old' }),
      line(1, 3, { reason: 'line_too_long' }),
    ])
    expect(await world.replay({})).toMatchObject({ lines: 0 })
  })

  test('takes in what lay in the future, once; what still does comes back', async () => {
    const reason = 'from_future'
    const world = createWorld([
      line(1, 1, { reason }),
      line(1, 2, { reason, raw: Buffer.from('tomorrow') }),
    ])
    const results = [await world.replay({}), await world.replay({})]
    expect(results).toMatchObject([
      { lines: 2, accepted: 1, stillRejected: 1 },
      { lines: 1, accepted: 0, stillRejected: 1 },
    ])
    expect(world.rejected).toMatchObject([{ reason }])
  })

  test('started twice takes each line once', async () => {
    const world = createWorld([line(1, 1), line(1, 2)])
    const results = await Promise.all([world.replay({}), world.replay({})])
    expect(results.map(({ accepted }) => accepted)).toEqual([2, 0])
    expect(world.taken).toHaveLength(1)
  })

  test('first waits for lines that an earlier one took in, and fails when they do not load', async () => {
    const world = createWorld([line(1, 1)])
    world.stuck.add(101)
    await expect(world.replay({})).rejects.toMatchObject({ code: 'overloaded' })
    await expect(world.replay({})).rejects.toMatchObject({ code: 'overloaded' })
    expect(world.taken).toHaveLength(1)
    world.stuck.clear()
    expect(await world.replay({})).toMatchObject({ lines: 0 })
    expect(world.rejected).toEqual([])
    expect(world.taken).toHaveLength(1)
  })
})

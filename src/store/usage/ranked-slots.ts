import type { BooksRankQuery, RankedMember, RankedUsage } from '../../billing/books-usage.ts'
import { assert, unreachable } from '../../core/errors.ts'
import { FIVE_MINUTES_MS } from '../../core/period.ts'
import type { BooksSource, Selection } from './books-source.ts'
import { selectMembers } from './books-slots.ts'
import type { Engine } from './engine.ts'

/**
 * Sums that one statement holds, of 8 bytes each: a month of 200 members. Five times as many took a
 * tenth more time and twice the memory.
 */
const SUMS_MAX = 2_000_000

/** Most slots of one member. Source: max_elements of AggregateFunctionResample.h. */
const SLOTS_MAX = 1_048_576

interface RankedRow {
  /** The account's position × members + the member's position. */
  readonly m: string
  readonly value: string
  readonly slot: string
}

/** Members that are ranked by one statement. */
interface Chunk extends Selection {
  readonly query: BooksRankQuery
  readonly source: BooksSource
  readonly slots: number
  readonly memberIds: readonly string[]
}

/**
 * Finds one slot per member by its rank; see `RankedUsage.rankedSlots`.
 *
 * A slot is its position in an array of sums, so nothing is grouped by time, which takes seven
 * times as long. Members go by a number, which groups as fast as the bare resource does, whoever
 * owned it.
 */
export async function readRanked(
  engine: Engine,
  query: BooksRankQuery,
): ReturnType<RankedUsage['rankedSlots']> {
  const slots = (query.endMs - query.startMs) / FIVE_MINUTES_MS
  assert(Number.isInteger(slots), 'an interval of slots lies on five minutes')
  assert(slots <= SLOTS_MAX, 'an interval of slots is at most ten years long')
  assert(query.dropped < slots, 'not all slots are dropped')
  const { source, where, parameters } = selectMembers(query, { grainSeconds: 300 })
  const all = await readMemberIds(engine, query, { source, where, parameters })
  const accounts = new Map<string, RankedMember[]>()
  const size = Math.max(1, Math.floor(SUMS_MAX / slots))
  for (let first = 0; first < all.length; first += size) {
    const memberIds = all.slice(first, first + size)
    const chunk = {
      query,
      source,
      slots,
      memberIds,
      where: `${where} AND t.${query.member} IN {members:Array(String)}`,
      parameters: { ...parameters, members: memberIds },
    }
    for (const row of await rankChunk(engine, chunk)) addMember(accounts, row, chunk)
  }
  return accounts
}

async function readMemberIds(
  engine: Engine,
  { member, accountIds }: BooksRankQuery,
  { source, where, parameters }: ReturnType<typeof selectMembers>,
): Promise<readonly string[]> {
  if (member === 'account') return accountIds
  const rows = await engine.rows<{ member: string }>(
    `SELECT DISTINCT t.${member} AS member FROM ${source.table} AS t WHERE ${where} ORDER BY member`,
    parameters,
  )
  return rows.map((row) => row.member)
}

type Ranked = RankedRow & { readonly isReported: boolean }

async function rankChunk(engine: Engine, chunk: Chunk): Promise<Ranked[]> {
  const rows = await engine.rows<RankedRow>(renderRanked(chunk), chunk.parameters)
  const zeros = rows.filter(({ value }) => value === '0')
  const moved = await readMoved(engine, chunk, zeros)
  return rows.flatMap((row): Ranked[] => {
    if (row.value !== '0') return [{ ...row, isReported: true }]
    const isReported = moved.get(row.m)
    return isReported === undefined ? [] : [{ ...row, isReported }]
  })
}

function addMember(
  accounts: Map<string, RankedMember[]>,
  { m, value, slot, isReported }: Ranked,
  { query, memberIds }: Chunk,
): void {
  const accountId = query.accountIds[Math.floor(Number(m) / memberIds.length)]
  const memberId = memberIds[Number(m) % memberIds.length]
  assert(accountId !== undefined && memberId !== undefined, 'a member that was not asked for')
  const members = accounts.get(accountId) ?? []
  accounts.set(accountId, members)
  const startMs = query.startMs + Number(slot) * FIVE_MINUTES_MS
  members.push({ memberId, startMs, bytes: BigInt(value), isReported })
}

/** Renders the rows of a chunk: member and slot as numbers, and their bytes. */
function renderRows({ query, source, memberIds, where }: Chunk): string {
  const numberOf = (column: string, list: string, count: number): string =>
    `toUInt64(transform(t.${column}, {${list}:Array(String)}, range(${count}), 0))`
  const account = numberOf('account', 'accounts', query.accountIds.length)
  const member = numberOf(query.member, 'members', memberIds.length)
  return `SELECT ${account} * ${memberIds.length} + ${member} AS m,
    intDiv(toUnixTimestamp(${source.time}) - toUnixTimestamp({start:DateTime}), 300) AS slot,
    ${source.bytesOut} AS out_bytes, ${source.bytesIn} AS in_bytes
  FROM ${source.table} AS t WHERE ${where}`
}

function renderRanked(chunk: Chunk): string {
  const { slots, query } = chunk
  // The engine takes the element at floor(level × count); half a place more than the place that is
  // meant keeps clear of the float's last bit.
  const level = (slots - query.dropped - 0.5) / slots
  return `SELECT r.m AS m, r.value AS value, indexOf(r.sums, r.value) - 1 AS slot
FROM (
  SELECT s.m AS m, ${renderSums(query.direction, slots)} AS sums,
    arrayReduce('quantileExact(${level})', sums) AS value
  FROM (${renderRows(chunk)}) AS s
  GROUP BY m
) AS r
ORDER BY m`
}

/** Expression: the sums of all slots, in order of time. */
function renderSums(direction: BooksRankQuery['direction'], slots: number): string {
  switch (direction) {
    case 'out':
      return renderSlots('s.out_bytes', slots)
    case 'in':
      return renderSlots('s.in_bytes', slots)
    case 'sum':
      return renderSlots('s.out_bytes + s.in_bytes', slots)
    case 'max-per-slot': {
      const [out, into] = [renderSlots('s.out_bytes', slots), renderSlots('s.in_bytes', slots)]
      return `arrayMap((o, i) -> greatest(o, i), ${out}, ${into})`
    }
    default:
      return unreachable(direction)
  }
}

function renderSlots(bytes: string, slots: number): string {
  return `sumResample(0, ${slots}, 1)(${bytes}, s.slot)`
}

/**
 * Tells of members whose slot is zero whether they moved anything at all (those that did not are
 * absent), and whether anything moved in that slot, be it in the other direction.
 *
 * A question of its own, since the other direction's bytes need not be read for all the others.
 */
async function readMoved(
  engine: Engine,
  chunk: Chunk,
  zeros: readonly RankedRow[],
): Promise<ReadonlyMap<string, boolean>> {
  if (zeros.length === 0) return new Map()
  const { slots, memberIds, parameters } = chunk
  const members = zeros.map(({ m }) => memberIds[Number(m) % memberIds.length])
  const rows = await engine.rows<{ m: string; reported: number }>(
    `SELECT s.m AS m, max(s.m * ${slots} + s.slot IN {found:Array(UInt64)}) AS reported
FROM (${renderRows(chunk)} AND t.${chunk.query.member} IN {zeros:Array(String)}) AS s
WHERE s.out_bytes > 0 OR s.in_bytes > 0
GROUP BY m`,
    {
      ...parameters,
      zeros: [...new Set(members)],
      found: zeros.map(({ m, slot }) => Number(m) * slots + Number(slot)),
    },
  )
  return new Map(rows.map(({ m, reported }) => [m, reported === 1]))
}

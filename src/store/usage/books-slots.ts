import type { BooksMembers, BooksSlotQuery, BooksUsage } from '../../billing/books-usage.ts'
import type { AreaScope } from '../../catalog/model.ts'
import type { Interval } from '../../core/period.ts'
import {
  booksSource,
  type BooksSource,
  limitedRows,
  type Need,
  type Selection,
  selectScope,
} from './books-source.ts'
import type { Engine } from './engine.ts'

type SlotsOf = Awaited<ReturnType<BooksUsage['slots']>>
type Member = SlotsOf extends ReadonlyMap<string, readonly (infer Entry)[]> ? Entry : never

interface SlotRow {
  readonly account: string
  readonly member: string
  readonly slot: number
  readonly outgoing: string
  readonly incoming: string
  readonly outgoing_max: string
  readonly incoming_max: string
}

/** Sums five minutes per member; see `BooksUsage.slots`. */
export async function readSlots(engine: Engine, query: BooksSlotQuery): Promise<SlotsOf> {
  const need = {
    grainSeconds: query.samples ? 60 : 300,
    hasZeros: query.reported === true,
  } as const
  const { source, where, parameters } = selectMembers(query, need)
  const rows = await limitedRows<SlotRow>(
    engine,
    query.samples ? renderSampled(query, source, where) : renderMeans(query, source, where),
    parameters,
  )
  return toMembers(rows, query.samples)
}

/** Picks the table that tells members apart, and renders what of it counts. */
export function selectMembers(
  query: BooksMembers & Interval,
  need: Pick<Need, 'grainSeconds' | 'hasZeros'>,
): Selection & { readonly source: BooksSource } {
  const wanted = { area: query.areas, province: query.provinces, kind: query.kinds }
  const names = (['area', 'province', 'kind'] as const).filter((name) => wanted[name] !== undefined)
  const member = query.member === 'account' ? [] : [query.member]
  // An area takes in its regions; where only areas are wanted, regions need not be told apart.
  const regions = (query.areas ?? []).flatMap(regionOf)
  const byRegion = regions.length > 0
  const dimensions = [...member, ...names, ...(byRegion ? (['billing_region'] as const) : [])]
  const source = booksSource(query, { ...need, dimensions })
  const { where, parameters } = selectScope(query, source)
  const filters = names.map((name) => {
    const isOneOf = `${source[name]} IN {${name}:Array(String)}`
    return name === 'area' && byRegion
      ? `(${isOneOf} OR ${source.billingRegion} IN {regions:Array(String)})`
      : isOneOf
  })
  return {
    source,
    where: [where, ...filters].join(' AND '),
    parameters: {
      ...parameters,
      ...Object.fromEntries(names.map((name) => [name, wanted[name]])),
      ...(byRegion && { regions }),
    },
  }
}

/** What rows say of a part of abroad; nothing for an area as a whole. */
function regionOf(scope: AreaScope): readonly string[] {
  if (scope === 'cn' || scope === 'abroad') return []
  return [scope === 'abroad-other' ? 'abroad' : scope]
}

function having({ reported }: BooksSlotQuery): string {
  return reported === true ? '' : 'HAVING outgoing > 0 OR incoming > 0'
}

function renderMeans(query: BooksSlotQuery, source: BooksSource, where: string): string {
  const { member } = query
  return `SELECT t.account AS account, t.${member} AS member,
  toUnixTimestamp(toStartOfFiveMinutes(${source.time})) AS slot,
  sum(${source.bytesOut}) AS outgoing, sum(${source.bytesIn}) AS incoming
FROM ${source.table} AS t WHERE ${where}
GROUP BY account, member, slot ${having(query)} ORDER BY account, member, slot`
}

// A slot's samples are its minutes: they are summed over everything before the highest is taken.
function renderSampled(query: BooksSlotQuery, source: BooksSource, where: string): string {
  const { member } = query
  return `SELECT s.account AS account, s.member AS member,
  toUnixTimestamp(toStartOfFiveMinutes(s.at)) AS slot,
  sum(s.out_bytes) AS outgoing, sum(s.in_bytes) AS incoming,
  max(s.out_bytes) AS outgoing_max, max(s.in_bytes) AS incoming_max
FROM (
  SELECT t.account AS account, t.${member} AS member, ${source.time} AS at,
    sum(${source.bytesOut}) AS out_bytes, sum(${source.bytesIn}) AS in_bytes
  FROM ${source.table} AS t WHERE ${where} GROUP BY account, member, at
) AS s GROUP BY account, member, slot ${having(query)} ORDER BY account, member, slot`
}

function toMembers(rows: readonly SlotRow[], samples: boolean): SlotsOf {
  const accounts = new Map<string, Member[]>()
  let slots: Member['slots'][number][] = []
  let [account, memberId]: (string | null)[] = [null, null]
  for (const row of rows) {
    if (row.account !== account || row.member !== memberId) {
      slots = []
      account = row.account
      memberId = row.member
      const members = accounts.get(account) ?? []
      accounts.set(account, members)
      members.push({ memberId, slots })
    }
    slots.push(toSlot(row, samples))
  }
  return accounts
}

function toSlot(row: SlotRow, samples: boolean): Member['slots'][number] {
  return {
    startMs: row.slot * 1000,
    inBytes: BigInt(row.incoming),
    outBytes: BigInt(row.outgoing),
    ...(samples && {
      inSampleBpsMax: minuteBps(row.incoming_max),
      outSampleBpsMax: minuteBps(row.outgoing_max),
    }),
  }
}

/** Bit/s of a minute's bytes, rounded down. */
function minuteBps(bytes: string): bigint {
  return (BigInt(bytes) * 8n) / 60n
}

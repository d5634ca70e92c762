import { formatInstant } from '../../catalog/versions.ts'
import { z } from 'zod'
import type { BookStore } from '../../billing/book-keeping.ts'
import type { BookTerms } from '../../billing/book.ts'
import type { BooksUsage } from '../../billing/books-usage.ts'
import { type ChargeMode, type ChargeModes, modeAt } from '../../billing/charge-modes.ts'
import { findGroupMembers, type ResourceFinder } from '../../billing/group-members.ts'
import { monthName } from '../../billing/period-names.ts'
import type { KnownPack, PackRegistry } from '../../billing/pack-registry.ts'
import { type Alternative, totalOf } from '../../billing/what-if.ts'
import { whatIf } from '../../billing/what-if-month.ts'
import { parseInput } from '../../catalog/input.ts'
import type { Clock } from '../../core/clock.ts'
import { AppError } from '../../core/errors.ts'
import { formatMoney } from '../../core/money.ts'
import type { Interval } from '../../core/period.ts'
import { parsePeriod } from '../../core/period-text.ts'
import { hashPack } from '../../rating/hash-pack.ts'
import { parseRulePack, type RulePack } from '../../rating/rule-pack.ts'
import { BookQuery, type PayerFinder } from './book-query.ts'
import { MonthName } from './list-bills.ts'
import type { ExactJson } from './try-rules.ts'

const PACKS_MAX = 50
const PACK_LENGTH_MAX = 1 << 20
/** Alternatives of one pack that are shown, besides the one without packages. */
const SHOWN_MAX = 10

/** The body of `POST /v1/whatif`. */
const WhatIfRequest = BookQuery.extend({
  month: MonthName.optional().describe(
    'Local month, past or current; the current one when absent.',
  ),
  packs: z
    .array(
      z.union(
        [
          z.string().min(1),
          z.strictObject({
            file: z.string().min(1).max(500),
            text: z.string().min(1).max(PACK_LENGTH_MAX),
          }),
        ],
        { error: 'must be the name of a pack, or a pack as {"file", "text"}' },
      ),
    )
    .min(1)
    .max(PACKS_MAX)
    .optional()
    .describe('Names of packs, or packs as YAML; all that price the meter when absent.'),
  packages: z.boolean().default(false).describe('Whether offered packages are tried, too.'),
  groups: z
    .record(z.string().min(1), z.array(z.string().min(1)).min(1))
    .optional()
    .describe('Group name → resources, by id or name; those of the mode in force when absent.'),
})

/** What comparing needs. */
export interface WhatIfDeps {
  readonly clock: Clock
  readonly payer: PayerFinder
  readonly resource: ResourceFinder
  readonly usage: BooksUsage
  readonly packs: Pick<PackRegistry, 'list' | 'find'>
  readonly modes: Pick<ChargeModes, 'history'>
  readonly store: Pick<BookStore, 'facts'>
}

/**
 * Prices one month of an account's usage by several rule packs, and with packages that they offer.
 *
 * Shape: alternatives by currency, cheapest first; packs that could not be tried, with the reason.
 * A month that is not over is completed by what is expected of its rest, where enough is known.
 * Units: bytes as integers, money as decimal text.
 * Errors: `parameter_invalid` for a wrong request or pack, naming file, line, column and field;
 * `not_found` for an unknown account or pack; `too_large` for more usage than can be held.
 */
export async function answerWhatIf(body: unknown, deps: WhatIfDeps): Promise<ExactJson> {
  const request = parseInput(WhatIfRequest, body)
  const { meter } = request
  const nowMs = deps.clock.nowMs()
  const payer = await deps.payer(request.account)
  const key = { accountId: payer.id, meter }
  const month = monthOf(request.month, nowMs, payer.zone)
  const history = await deps.modes.history(payer.id, meter)
  const mode = modeAt(history, Math.min(nowMs, month.endMs - 1))
  // Those in force were found when they were named, and their resources may be gone since.
  const groups =
    request.groups === undefined
      ? (mode?.groups ?? {})
      : await findGroupMembers(
          request.groups,
          { accountId: payer.id, meters: [meter] },
          deps.resource,
        )
  const known = await choosePacks(request, mode, deps.packs)
  const [fitting, leftOut] = sortOut(known, meter, groups)
  const terms = fitting.map((each): BookTerms => ({
    ...key,
    zone: payer.zone,
    groups,
    pack: each.pack,
    packHash: each.hash,
  }))
  const facts = (await deps.store.facts(meter, [payer.id])).get(payer.id)
  const found = await whatIf(
    {
      ...key,
      zone: payer.zone,
      month,
      nowMs,
      terms,
      withPackages: request.packages,
      resources: facts?.resources ?? [],
    },
    deps.usage,
  )
  const shown = found.alternatives.flatMap((list) => [
    ...list.slice(0, SHOWN_MAX),
    ...list.slice(SHOWN_MAX).filter(({ bought }) => bought.length === 0),
  ])
  return {
    account: payer.id,
    meter,
    zone: payer.zone,
    month: monthName(month.startMs, payer.zone),
    start: formatInstant(month.startMs),
    end: formatInstant(month.endMs),
    foretoldFrom: found.foretoldFromMs < month.endMs ? formatInstant(found.foretoldFromMs) : null,
    measuredUntil: formatInstant(Math.min(nowMs, month.endMs)),
    isCut: found.isCut,
    alternatives: shown.sort(compareShown).map((each) => toWire(each, mode)),
    leftOut,
  }
}

function monthOf(text: string | undefined, nowMs: number, zone: string): Interval {
  const month = parsePeriod(text ?? monthName(nowMs, zone), zone, 'month')
  if (month.startMs < nowMs) return month
  const message = 'month must be past or current: nothing was measured in one to come.'
  throw new AppError('parameter_invalid', message, { field: 'month' })
}

type Chosen = Pick<KnownPack, 'pack' | 'hash'>

/** The packs that are asked for; otherwise the latest of each name, and the one in force. */
async function choosePacks(
  { packs, meter }: z.output<typeof WhatIfRequest>,
  mode: ChargeMode | undefined,
  registry: WhatIfDeps['packs'],
): Promise<readonly Chosen[]> {
  if (packs !== undefined) {
    const found = await Promise.all(
      packs.map(async (asked): Promise<Chosen> => {
        if (typeof asked === 'string') return registry.find(asked)
        const pack = parseRulePack(asked.text, asked.file)
        return { pack, hash: hashPack(pack) }
      }),
    )
    // The same pack twice is one alternative.
    return [...new Map(found.map((each) => [each.hash, each])).values()]
  }
  const all = (await registry.list()).filter(({ pack }) => pack.meters.includes(meter))
  const latest = new Map(all.map((each) => [each.pack.name, each]))
  return all.filter((each) => latest.get(each.pack.name) === each || each.hash === mode?.packHash)
}

/** Separates packs that cannot price the account's meter: their price would be nothing. */
function sortOut(
  known: readonly Chosen[],
  meter: RulePack['meters'][number],
  groups: BookTerms['groups'],
): [Chosen[], { pack: string; version: string; reason: string }[]] {
  const fitting: Chosen[] = []
  const leftOut: { pack: string; version: string; reason: string }[] = []
  for (const each of known) {
    const { name: pack, version, meters, rules } = each.pack
    const grouped = rules.find(({ level }) => level === 'group')
    if (!meters.includes(meter)) {
      leftOut.push({ pack, version, reason: `It prices ${meters.join(', ')}, not ${meter}.` })
    } else if (grouped !== undefined && Object.keys(groups).length === 0) {
      const reason = `Its rule ${grouped.name} prices groups; name the resources of each.`
      leftOut.push({ pack, version, reason })
    } else fitting.push(each)
  }
  return [fitting, leftOut]
}

/** By currency, then amount; of equal ones the one that buys less, then by name. */
function compareShown(a: Alternative, b: Alternative): number {
  const [packA, packB] = [a.terms.pack, b.terms.pack]
  if (packA.currency !== packB.currency) return packA.currency < packB.currency ? -1 : 1
  const [totalA, totalB] = [totalOf(a), totalOf(b)]
  if (totalA !== totalB) return totalA < totalB ? -1 : 1
  return a.bought.length - b.bought.length || (packA.name < packB.name ? -1 : 1)
}

function toWire(found: Alternative, mode: ChargeMode | undefined): { [name: string]: ExactJson } {
  const { terms, bought, usageAmount, packagesAmount, proRataAmount, lines } = found
  const { name, version, currency } = terms.pack
  return {
    pack: name,
    version,
    hash: terms.packHash,
    isCurrent: terms.packHash === mode?.packHash && bought.length === 0,
    currency,
    total: formatMoney(totalOf(found)),
    totalProRata: formatMoney(usageAmount + proRataAmount),
    usage: formatMoney(usageAmount),
    packages: bought.map(({ offer, count, usedBytes }) => ({
      offer: offer.name,
      count,
      sizeBytes: offer.sizeBytes * BigInt(count),
      usedBytes,
      price: formatMoney(offer.price * BigInt(count)),
    })),
    packagesTotal: formatMoney(packagesAmount),
    lines,
  }
}

import { formatInstant } from '../../catalog/versions.ts'
import { z } from 'zod'
import { findGroupMembers, type ResourceFinder } from '../../billing/group-members.ts'
import { ratePeriod, type RatedLine, type RatedUsage, totalOf } from '../../billing/rate-period.ts'
import { parseInput } from '../../catalog/input.ts'
import { AppError } from '../../core/errors.ts'
import { formatMoney } from '../../core/money.ts'
import { DAY_MS, FIVE_MINUTES_MS, type Interval } from '../../core/period.ts'
import { parsePeriod } from '../../core/period-text.ts'
import { hashPack } from '../../rating/hash-pack.ts'
import { parseRulePack, type RulePack } from '../../rating/rule-pack.ts'
import type { PayerFinder } from './book-query.ts'
import { Instant } from './instant.ts'

/** Longest period that is tried at once: a year and a day. */
const PERIOD_MS_MAX = 367 * DAY_MS
const PACK_LENGTH_MAX = 1 << 20

/** The body of `POST /v1/rules/try`. */
const TryRequest = z.strictObject({
  account: z
    .string()
    .min(1)
    .describe('Id, name or number; a sub-account stands for its parent, who pays.'),
  pack: z.string().min(1).max(PACK_LENGTH_MAX).describe('The rule pack, as YAML.'),
  file: z.string().max(500).default('pack').describe('What to call the pack in messages.'),
  period: z.string().optional().describe('A month (2026-11) or a day (2026-11-20).'),
  start: Instant.optional(),
  end: Instant.optional(),
  groups: z
    .record(z.string().min(1), z.array(z.string().min(1)).min(1))
    .default({})
    .describe('Group name → resources, by id or name, for rules of level group.'),
})

/** What trying needs. */
export interface TryRulesDeps {
  readonly usage: RatedUsage
  readonly payer: PayerFinder
  readonly resource: ResourceFinder
}

/** JSON with integers of any size. */
export type ExactJson =
  | string
  | number
  | bigint
  | boolean
  | null
  | readonly ExactJson[]
  | { [name: string]: ExactJson }

/**
 * Prices what an account used by a rule pack, without touching the books.
 *
 * Shape: the pack, the period, the lines and their total; packages are not drawn on.
 * Units: bytes and bit/s as integers, money as decimal text in the pack's currency.
 * Time: the period, days, months and windows are those of the account's zone.
 * Errors: `parameter_invalid` for a wrong request or pack, naming file, line, column and field;
 * `not_found` for an unknown account; `too_large` for more sums than one answer can hold.
 */
export async function tryRules(body: unknown, deps: TryRulesDeps): Promise<ExactJson> {
  const request = parseInput(TryRequest, body)
  const pack = parseRulePack(request.pack, request.file)
  const { id: accountId, zone } = await deps.payer(request.account)
  refuseMissingGroups(pack, request.groups)
  const owner = { accountId, meters: pack.meters }
  const groups = await findGroupMembers(request.groups, owner, deps.resource)
  const period = periodOf(request, zone)
  const rated = { accountId, period, zone, groups }
  const lines = await ratePeriod(pack, rated, deps.usage)
  return {
    pack: { name: pack.name, version: pack.version, hash: hashPack(pack) },
    account: accountId,
    zone,
    start: formatInstant(period.startMs),
    end: formatInstant(period.endMs),
    currency: pack.currency,
    lines: lines.map(toWire),
    total: formatMoney(totalOf(lines)),
  }
}

/** Without groups their rules would price nothing, which looks like no usage. */
function refuseMissingGroups(
  { name, rules }: RulePack,
  groups: z.output<typeof TryRequest>['groups'],
): void {
  const grouped = rules.find(({ level }) => level === 'group')
  if (grouped === undefined || Object.keys(groups).length > 0) return
  const message = `The rule ${grouped.name} of ${name} prices groups; name the resources of each.`
  throw new AppError('parameter_invalid', message, { field: 'groups' })
}

function periodOf({ period, start, end }: z.output<typeof TryRequest>, zone: string): Interval {
  if (period !== undefined && start === undefined && end === undefined) {
    return parsePeriod(period, zone)
  }
  if (period !== undefined || start === undefined || end === undefined) {
    throw new AppError('parameter_invalid', 'Send either period, or start and end.', {
      field: 'period',
    })
  }
  if (end <= start || end - start > PERIOD_MS_MAX) {
    throw new AppError('parameter_invalid', 'end must be after start, by at most 367 days.', {
      field: 'end',
    })
  }
  if (start % FIVE_MINUTES_MS !== 0 || end % FIVE_MINUTES_MS !== 0) {
    throw new AppError('parameter_invalid', 'start and end must lie on five minutes.', {
      field: 'start',
    })
  }
  return { startMs: start, endMs: end }
}

function toWire(line: RatedLine): ExactJson {
  const common = {
    rule: line.ruleName,
    type: line.type,
    member: line.memberId,
    start: formatInstant(line.startMs),
    end: formatInstant(line.endMs),
  }
  const amount = formatMoney(line.amount)
  if (line.type === 'traffic') {
    const { tierIndex, rawBytes, billedBytes, price } = line
    const priced = { tier: tierIndex + 1, rawBytes, billedBytes, price: formatMoney(price) }
    return { ...common, ...priced, amount }
  }
  const { bps, billedBps, direction, slots, dropped, validDays, days } = line
  const samples = line.samples.map((sample) => ({
    time: formatInstant(sample.startMs),
    bps: sample.bps,
  }))
  const ranked = { bps, billedBps, direction, slots, dropped, validDays, days, samples }
  return { ...common, ...ranked, amount }
}

import { formatInstant } from '../catalog/versions.ts'
import { formatMoney, parseMoney, type Nano } from '../core/money.ts'
import { canonicalJson } from '../rating/pack-hash.ts'
import type { BandwidthRule, TrafficRule } from '../rating/rules.ts'
import type { RulePack } from '../rating/rule-pack.ts'
import { assert } from '../core/errors.ts'
import type { AdjustmentBillLine, BillLine, ChargeLine } from './bill.ts'
import type { RatedLine } from './rate-period.ts'

/** Writes a rated line as bills keep it. */
export function toChargeLine(line: RatedLine, { rules, currency }: RulePack): ChargeLine {
  const rule = rules.find(({ name }) => name === line.ruleName)
  assert(rule?.type === line.type, `the pack has no ${line.type} rule ${line.ruleName}`)
  const common = {
    rule: line.ruleName,
    member: line.memberId,
    start: formatInstant(line.startMs),
    end: formatInstant(line.endMs),
  }
  const amount = { amount: formatMoney(line.amount), currency }
  return line.type === 'traffic'
    ? {
        type: 'traffic',
        ...common,
        tier: line.tierIndex + 1,
        rawBytes: String(line.rawBytes),
        billedBytes: String(line.billedBytes),
        unit: (rule as TrafficRule).radix === 1000 ? 'GB' : 'GiB',
        price: formatMoney(line.price),
        ...amount,
      }
    : { type: 'bandwidth', ...common, ...rankingOf(line, rule as BandwidthRule), ...amount }
}

function rankingOf(line: RatedLine & { type: 'bandwidth' }, rule: BandwidthRule) {
  return {
    mode: rule.mode,
    direction: line.direction,
    bps: String(line.bps),
    commitBps: String(rule.commitBps),
    billedBps: String(line.billedBps),
    slots: line.slots,
    dropped: line.dropped,
    validDays: line.validDays,
    days: line.days,
    samples: line.samples.map(({ startMs, bps }) => ({
      time: formatInstant(startMs),
      bps: String(bps),
    })),
    unit: rule.radix === 1000 ? ('Mbps' as const) : ('Mibps' as const),
    price: formatMoney(rule.price),
  }
}

/** Reads what a line costs. */
export function amountOf(line: Pick<BillLine, 'amount'>): Nano {
  return parseMoney(line.amount, 'amount')
}

/** What lines come to, by currency in alphabetical order; a currency without lines is absent. */
export function totalsByCurrency(
  lines: readonly Pick<BillLine, 'amount' | 'currency'>[],
): { readonly currency: string; readonly amount: Nano }[] {
  const totals = new Map<string, Nano>()
  for (const line of lines) {
    totals.set(line.currency, (totals.get(line.currency) ?? 0n) + amountOf(line))
  }
  return [...totals]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([currency, amount]) => ({ currency, amount }))
}

/**
 * Lists what changed between two ratings of the same stretch.
 *
 * Shape: lines that are equal are left out; one that only one side has is compared with nothing.
 */
export function adjustmentLines(
  of: AdjustmentBillLine['of'],
  before: readonly ChargeLine[],
  after: readonly ChargeLine[],
): AdjustmentBillLine[] {
  const keys = [...new Set([...before, ...after].map(keyOf))]
  return keys.flatMap((key): AdjustmentBillLine[] => {
    const old = before.find((line) => keyOf(line) === key) ?? null
    const now = after.find((line) => keyOf(line) === key) ?? null
    const some = now ?? old
    if (some === null || canonicalJson(old) === canonicalJson(now)) return []
    const owed = (now === null ? 0n : amountOf(now)) - (old === null ? 0n : amountOf(old))
    const { rule, member, start, end, currency } = some
    const amount = formatMoney(owed)
    return [
      {
        type: 'adjustment',
        of,
        rule,
        member,
        start,
        end,
        before: old,
        after: now,
        amount,
        currency,
      },
    ]
  })
}

function keyOf(line: ChargeLine): string {
  const tier = line.type === 'traffic' ? line.tier : 0
  return JSON.stringify([line.type, line.rule, line.member, line.start, line.end, tier])
}

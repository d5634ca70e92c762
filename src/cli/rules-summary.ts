import { formatMoney } from '../core/money.ts'
import {
  formatOverhead,
  formatRate,
  formatVolume,
  formatWindow,
} from '../rating/pack-quantities.ts'
import type { PackageOffer } from '../rating/pack-offers.ts'
import { isRankedMode } from '../rating/pack-rules.ts'
import type { RulePack } from '../rating/rule-pack.ts'
import { findUnpriced } from '../rating/unpriced-parts.ts'
import type { BandwidthRule, Rule, Scope, TrafficRule } from '../rating/rules.ts'

/**
 * Says in words what a pack means, so that its author can tell whether it is what was meant.
 *
 * Shape: a first line about the pack, then an indented line per rule and one about packages.
 */
export function describePack(pack: RulePack): string {
  const { name, version, currency, meters, rules, packages } = pack
  const { absorb, bill, quantumBytes, rounding } = packages.arrears
  const count = `${rules.length} ${rules.length === 1 ? 'rule' : 'rules'}`
  const orders = quantumBytes === 1n ? '' : `, in ${formatVolume(quantumBytes)} rounded ${rounding}`
  const absorbs = absorb === 'never' ? 'by no package' : 'by a larger package'
  return [
    `${name} ${version}: ${count} for ${meters.join(', ')} in ${currency}`,
    ...rules.map((rule) => `  ${rule.name}: ${describeRule(rule)}`),
    `  packages: ${packages.burnOrder.join(', ')}; arrears absorbed ${absorbs}, ` +
      (bill === 'carry' ? 'carried' : `ordered daily${orders}`),
    ...packages.offers.map((offer) => `  offer ${offer.name}: ${describeOffer(offer)} ${currency}`),
    ...describeUnpriced(pack),
    '',
  ].join('\n')
}

/** Says which usage abroad nobody pays for in a pack with prices by region; mostly nothing. */
export function describeUnpriced({ meters, rules }: RulePack): string[] {
  if (!meters.includes('cdn')) return []
  return findUnpriced(rules).map(({ kinds, areas }) => {
    const [kind, ...others] = kinds
    const usage = others.length === 0 ? `${kind} usage` : 'usage'
    return `  note: ${usage} in ${areas.join(', ')} matches no rule, so nobody pays for it`
  })
}

function describeOffer(offer: PackageOffer): string {
  const { sizeBytes, areas, kinds, windows, months, from, resourcesMax, price } = offer
  const content = [kinds, areas].flatMap((list) => (list === null ? [] : [list.join('+')]))
  const counted = from === 'purchase' ? '' : ' from first use'
  const life = months === null ? 'without end' : `${countOf(months, 'month')}${counted}`
  return [
    [formatVolume(sizeBytes), ...(content.length === 0 ? [] : ['of', ...content])].join(' '),
    ...(windows.length > 0 ? [`at ${windows.map(formatWindow).join(' and ')}`] : []),
    ...(resourcesMax === null ? [] : [`for at most ${countOf(resourcesMax, 'named resource')}`]),
    life,
    formatMoney(price),
  ].join(', ')
}

function countOf(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

function describeRule(rule: Rule): string {
  return rule.type === 'traffic' ? describeTraffic(rule) : describeBandwidth(rule)
}

function describeTraffic(rule: TrafficRule): string {
  const { overhead, freeBelowBytesPerDay, windows } = rule
  return [
    `traffic of ${describeScope(rule.scope)} per ${rule.level} and ${rule.period}`,
    ...(windows.length > 0 ? [`at ${windows.map(formatWindow).join(' and ')}`] : []),
    ...(overhead.numerator === overhead.denominator ? [] : [`plus ${formatOverhead(overhead)}`]),
    ...(freeBelowBytesPerDay === 0n
      ? []
      : [`days of a resource below ${formatVolume(freeBelowBytesPerDay)} free`]),
    describeTiers(rule),
  ].join(', ')
}

function describeTiers({ tiers, tiering, radix }: TrafficRule): string {
  const unit = radix === 1000 ? 'GB' : 'GiB'
  const steps = tiers.map(({ upToBytes, price }) =>
    upToBytes === null
      ? `${formatMoney(price)} per ${unit}`
      : `${formatMoney(price)} up to ${formatVolume(upToBytes)}`,
  )
  const kind = { graduated: 'each tier its part', volume: 'the tier reached all of it' }[tiering]
  return tiers.length === 1 ? steps.join('') : `${steps.join(', then ')} (${kind})`
}

const MISSING = {
  zero: 'missing slots zero',
  exclude: 'idle slots excluded',
  'exclude-unreported': 'slots without a record excluded',
} as const satisfies Record<BandwidthRule['missingSlot'], string>

function describeBandwidth(rule: BandwidthRule): string {
  const { mode, rank, slot, direction, validDay, missingSlot, commitBps, overagePrice } = rule
  const unit = rule.radix === 1000 ? 'Mbps' : 'Mibps'
  const above = formatMoney(overagePrice ?? rule.price)
  return [
    `${mode} of ${describeScope(rule.scope)} per ${rule.level}`,
    `direction ${direction}`,
    slot === 'mean' ? 'five-minute means' : 'highest samples of five minutes',
    ...(isRankedMode(mode) ? [`${rank.percent} % of slots dropped (${rank.rounding})`] : []),
    validDay === 'all' ? 'all days' : `days above ${formatVolume(validDay.aboveBytes)}`,
    MISSING[missingSlot],
    commitBps === 0n
      ? `${formatMoney(rule.price)} per ${unit}`
      : `${formatMoney(rule.price)} per ${unit} for ${formatRate(commitBps)} in any case, ${above} above`,
    ...(rule.proRata === 'none' ? [] : ['by the share of valid days']),
  ].join(', ')
}

function describeScope({ areas, provinces, kinds, directions }: Scope): string {
  const lists = [kinds, areas, provinces, directions].flatMap((list) =>
    list === undefined ? [] : [list.join('+')],
  )
  return lists.length === 0 ? 'everything' : lists.join(' ')
}

import { formatMoney } from '../core/money.ts'
import { formatOverhead, formatRate, formatVolume, formatWindow } from './pack-quantities.ts'
import type { PackageOffer } from './pack-offers.ts'
import { isRankedMode } from './pack-rules.ts'
import type { RulePack } from './rule-pack.ts'
import type { BandwidthRule, Rule, TrafficRule } from './rules.ts'

/** What a file would say that means the same pack, with every default written out. */
export function toPackFile(pack: RulePack): Readonly<Record<string, unknown>> {
  const { source, rules, packages, meters, ...rest } = pack
  const { quantumBytes, ...arrears } = packages.arrears
  return {
    ...rest,
    ...(source !== null && { source }),
    meters,
    rules: rules.map(toRuleEntry),
    packages: {
      burnOrder: packages.burnOrder,
      arrears: { ...arrears, quantum: formatVolume(quantumBytes) },
      offers: packages.offers.map(toOfferEntry),
    },
  }
}

function toOfferEntry(offer: PackageOffer): Readonly<Record<string, unknown>> {
  const { name, sizeBytes, areas, kinds, windows, months, from, resourcesMax, price } = offer
  return {
    name,
    size: formatVolume(sizeBytes),
    ...(areas !== null && { areas }),
    ...(kinds !== null && { kinds }),
    windows: windows.map(formatWindow),
    ...(months === null ? { unlimited: true } : { months }),
    from,
    ...(resourcesMax !== null && { resources: resourcesMax }),
    price: formatMoney(price),
  }
}

function toRuleEntry(rule: Rule): Readonly<Record<string, unknown>> {
  return rule.type === 'traffic' ? toTrafficEntry(rule) : toBandwidthEntry(rule)
}

function toTrafficEntry(rule: TrafficRule): Readonly<Record<string, unknown>> {
  const { type, name, level, scope, windows, tiering, period } = rule
  const [first] = rule.tiers
  const tiers = rule.tiers.map(({ upToBytes, price }) => ({
    ...(upToBytes !== null && { upTo: formatVolume(upToBytes) }),
    price: formatMoney(price),
  }))
  return {
    type,
    name,
    level,
    scope,
    windows: windows.map(formatWindow),
    overhead: formatOverhead(rule.overhead),
    freeBelowPerDay: formatVolume(rule.freeBelowBytesPerDay),
    unit: rule.radix === 1000 ? 'GB' : 'GiB',
    tiering,
    ...(tiers.length === 1 ? { price: formatMoney(first?.price ?? 0n) } : { tiers }),
    period,
  }
}

function toBandwidthEntry(rule: BandwidthRule): Readonly<Record<string, unknown>> {
  const {
    type,
    name,
    level,
    scope,
    mode,
    slot,
    direction,
    missingSlot,
    rank,
    proRata,
    partialMonth,
  } = rule
  const { validDay, overagePrice } = rule
  return {
    type,
    name,
    level,
    scope,
    mode,
    slot,
    direction,
    validDay: validDay === 'all' ? validDay : { above: formatVolume(validDay.aboveBytes) },
    missingSlot,
    ...(isRankedMode(mode) && { rank }),
    unit: rule.radix === 1000 ? 'Mbps' : 'Mibps',
    commit: formatRate(rule.commitBps),
    price: formatMoney(rule.price),
    ...(overagePrice !== null && { overagePrice: formatMoney(overagePrice) }),
    proRata,
    partialMonth,
  }
}

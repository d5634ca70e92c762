/**
 * A bill in the terms of FOCUS, the FinOps Open Cost and Usage Specification.
 *
 * Source: FOCUS 1.2, attribute Discount Handling, appendix Commitment Discounts, and the columns
 * themselves. Where Weir departs from it: docs/reference/exports.md.
 */
import type { MeterName } from '../catalog/model.ts'
import { unreachable } from '../core/errors.ts'
import { exactDecimal } from '../core/decimal.ts'
import { formatMoney, NANO, parseMoney, priceOf } from '../core/money.ts'
import { addDays, dayStart } from '../core/period.ts'
import { GB, GIB, MB, MIB } from '../core/units.ts'
import type { Level } from '../rating/rules.ts'
import type {
  AdjustmentBillLine,
  Bill,
  BillLine,
  ChargeLine,
  PackageBillLine,
  StoredBill,
} from './bill.ts'
import { describeLine } from './bill-lines.ts'
import { FOCUS_COLUMNS, type FocusColumnName } from './focus-columns.ts'
import type { PackageShare } from './package-shares.ts'

/** One row: decimal text in columns of numbers; null: empty. */
export type FocusRow = Readonly<Record<FocusColumnName, string | null>>

/** What a bill does not say about itself. */
export interface FocusContext {
  /** Name of the account's brand, who provides and bills. */
  readonly brand: string
  /** At which level a rule sums usage, and so what its members are; null: not known. */
  readonly levelOf: (rule: string) => Level | null
  /** What the bill's days and adjustments took from packages, and what of their prices. */
  readonly shares: readonly PackageShare[]
}

/** What depends on the line; what is absent is empty. */
type Own = Partial<Record<FocusColumnName, string | null>>

const SERVICES = {
  cdn: { name: 'CDN', resource: 'Domain', subcategory: 'Content Delivery' },
  eip: { name: 'Elastic IP', resource: 'Elastic IP', subcategory: 'Network Connectivity' },
  mna: {
    name: 'Multi-network gateway',
    resource: 'Gateway',
    subcategory: 'Network Connectivity',
  },
} as const satisfies Record<MeterName, object>

const UNITS = {
  GB: { per: GB, pricing: 'GB', consumed: 'B' },
  GiB: { per: GIB, pricing: 'GiB', consumed: 'B' },
  Mbps: { per: MB, pricing: 'Mb/Second', consumed: 'b/Second' },
  Mibps: { per: MIB, pricing: 'Mib/Second', consumed: 'b/Second' },
} as const

/**
 * Puts a bill into rows: one for each line in their order, then one for each part of a package.
 *
 * Units: the sum of BilledCost in each currency is the bill's total, digit for digit. The
 * EffectiveCost of all parts of a package that has ended, over all bills, is the BilledCost of its
 * purchase and refund.
 */
export function toFocusRows(stored: StoredBill, context: FocusContext): FocusRow[] {
  const { bill } = stored
  const lines = bill.lines.map((line, index) => ({
    ...costsOf(line.amount, line.currency),
    ...ownOf(line, bill, context),
    ChargeDescription: describeLine(line),
    x_BillLine: String(index + 1),
  }))
  const currency = bill.totals[0]?.currency ?? 'XXX'
  const parts = context.shares.map((share) => partOf(share, bill, currency))
  return [...lines, ...parts].map((own) => ({ ...EMPTY, ...sameForAll(stored, context), ...own }))
}

const EMPTY = Object.fromEntries(FOCUS_COLUMNS.map(({ name }) => [name, null])) as Record<
  FocusColumnName,
  null
>

function sameForAll({ bill, hash }: StoredBill, { brand }: FocusContext): Own {
  const { subcategory, name } = SERVICES[bill.meter]
  return {
    BillingAccountId: bill.account.id,
    BillingAccountName: bill.account.name,
    BillingAccountType: 'Account',
    InvoiceId: bill.id,
    InvoiceIssuerName: brand,
    ProviderName: brand,
    PublisherName: brand,
    BillingPeriodStart: instantOf(bill.start),
    BillingPeriodEnd: instantOf(bill.end),
    ServiceCategory: 'Networking',
    ServiceSubcategory: subcategory,
    ServiceName: name,
    x_BillHash: hash,
  }
}

function costsOf(amount: string, currency: string): Own {
  return {
    BilledCost: amount,
    EffectiveCost: amount,
    ListCost: amount,
    ContractedCost: amount,
    BillingCurrency: currency,
  }
}

function ownOf(line: BillLine, bill: Bill, context: FocusContext): Own {
  switch (line.type) {
    case 'traffic':
    case 'bandwidth':
      return chargeOf(line, bill, context)
    case 'adjustment':
      return adjustmentOf(line, bill, context)
    case 'package':
      return packageOf(line, bill)
    default:
      return unreachable(line)
  }
}

function chargeOf(line: ChargeLine, bill: Bill, context: FocusContext): Own {
  const { per, pricing, consumed } = UNITS[line.unit]
  const [quantity, measured] =
    line.type === 'traffic' ? [line.billedBytes, line.rawBytes] : [line.billedBps, line.bps]
  const price = parseMoney(line.price, 'price')
  // A commitment with another price above it, or a share of the month, has no single unit price.
  const isPlain = priceOf(BigInt(quantity), price, per) === parseMoney(line.amount, 'amount')
  const unitPrice = isPlain ? line.price : null
  return {
    ...usageOf(line, bill, context),
    ChargeClass: null,
    SkuPriceId: skuPriceOf(line, bill),
    PricingCategory: 'Standard',
    PricingQuantity: exactDecimal(BigInt(quantity), per),
    PricingUnit: pricing,
    ConsumedQuantity: measured,
    ConsumedUnit: consumed,
    ListUnitPrice: unitPrice,
    ContractedUnitPrice: unitPrice,
  }
}

function adjustmentOf(line: AdjustmentBillLine, bill: Bill, context: FocusContext): Own {
  const isEarlier = Date.parse(line.start) < Date.parse(bill.start)
  const unit = (line.after ?? line.before)?.unit
  const base = {
    ...usageOf(line, bill, context),
    SkuPriceId: skuPriceOf(line.after ?? line.before, bill),
    // What changes a closed day of the same month corrects nothing that was invoiced.
    ChargeClass: isEarlier ? 'Correction' : null,
    PricingCategory: 'Standard',
  }
  if (unit === undefined) return base
  const { per, pricing, consumed } = UNITS[unit]
  return {
    ...base,
    PricingQuantity: exactDecimal(billedOf(line.after) - billedOf(line.before), per),
    PricingUnit: pricing,
    ConsumedQuantity: String(measuredOf(line.after) - measuredOf(line.before)),
    ConsumedUnit: consumed,
  }
}

function billedOf(line: ChargeLine | null): bigint {
  if (line === null) return 0n
  return BigInt(line.type === 'traffic' ? line.billedBytes : line.billedBps)
}

function measuredOf(line: ChargeLine | null): bigint {
  if (line === null) return 0n
  return BigInt(line.type === 'traffic' ? line.rawBytes : line.bps)
}

function usageOf(line: ChargeLine | AdjustmentBillLine, bill: Bill, context: FocusContext): Own {
  const level = line.member === bill.account.id ? 'account' : context.levelOf(line.rule)
  return {
    ChargeCategory: 'Usage',
    ChargeFrequency: 'Usage-Based',
    ChargePeriodStart: instantOf(line.start),
    ChargePeriodEnd: instantOf(line.end),
    SubAccountId: level === 'project' ? line.member : null,
    ResourceId: level === 'resource' ? line.member : null,
    ResourceType: level === 'resource' ? SERVICES[bill.meter].resource : null,
    SkuId: `${bill.meter}/${line.rule}`,
    x_Member: line.member,
  }
}

function skuPriceOf(line: ChargeLine | null, { manifest }: Bill): string | null {
  if (line === null) return null
  const atMs = Date.parse(line.start)
  const pack = manifest.packs.find(
    ({ start, end }) => Date.parse(start) <= atMs && atMs < Date.parse(end),
  )
  if (pack === undefined) return null
  const tier = line.type === 'traffic' ? line.tier : 1
  return `${pack.name}@${pack.version}/${line.rule}/${tier}`
}

function packageOf(line: PackageBillLine, { meter, zone, lines }: Bill): Own {
  const { event, packageId, sizeBytes } = line
  const atMs = Date.parse(line.time)
  const amount = parseMoney(line.amount, 'amount')
  const price = exactDecimal(amount < 0n ? -amount : amount, NANO)
  const isOwn = lines.some(
    (other) =>
      other.type === 'package' && other.event === 'purchase' && other.packageId === packageId,
  )
  const isRefund = event === 'refund'
  return {
    ...commitmentOf(packageId, meter),
    CommitmentDiscountQuantity: isRefund ? `-${sizeBytes}` : sizeBytes,
    // It is paid for what is used later.
    EffectiveCost: '0.00',
    ResourceId: packageId,
    ResourceType: PACKAGE_TYPE,
    ChargeCategory: 'Purchase',
    ChargeClass: isRefund && !isOwn ? 'Correction' : null,
    ChargeFrequency: 'One-Time',
    ChargePeriodStart: instantText(dayStart(atMs, zone)),
    ChargePeriodEnd: instantText(addDays(atMs, 1, zone)),
    PricingCategory: 'Standard',
    PricingQuantity: isRefund ? '-1' : '1',
    PricingUnit: 'Packages',
    ListUnitPrice: price,
    ContractedUnitPrice: price,
  }
}

const PACKAGE_TYPE = 'Traffic package'

/** What every row about a package says of it. */
function commitmentOf(packageId: string, meter: MeterName): Own {
  return {
    SkuId: `${meter}/package`,
    SkuPriceId: `${meter}/package/${packageId}`,
    CommitmentDiscountId: packageId,
    CommitmentDiscountName: packageId,
    CommitmentDiscountCategory: 'Usage',
    CommitmentDiscountType: PACKAGE_TYPE,
    CommitmentDiscountUnit: 'B',
  }
}

/** A part of a package was paid when it was bought; here is what it cost. */
function partOf(share: PackageShare, { meter, start }: Bill, currency: string): Own {
  const { packageId, part, bytes, resourceId } = share
  const isUsed = part === 'used'
  const cost = formatMoney(share.cost)
  return {
    ...commitmentOf(packageId, meter),
    BilledCost: '0.00',
    EffectiveCost: cost,
    // Calculated from the list cost of the purchase, which is its price.
    ListCost: cost,
    ContractedCost: cost,
    BillingCurrency: share.currency ?? currency,
    ChargeCategory: 'Usage',
    ChargeClass: Date.parse(share.start) < Date.parse(start) ? 'Correction' : null,
    ChargeFrequency: 'Usage-Based',
    ChargeDescription: isUsed
      ? `Traffic that package ${packageId} gave`
      : `What was left unused of package ${packageId}`,
    ChargePeriodStart: instantOf(share.start),
    ChargePeriodEnd: instantOf(share.end),
    PricingCategory: 'Committed',
    PricingQuantity: String(bytes),
    PricingUnit: 'B',
    ...(isUsed
      ? {
          ConsumedQuantity: String(bytes),
          ConsumedUnit: 'B',
          ResourceId: resourceId,
          ResourceType: resourceId === null ? null : SERVICES[meter].resource,
        }
      : { ResourceId: packageId, ResourceType: PACKAGE_TYPE }),
    CommitmentDiscountStatus: isUsed ? 'Used' : 'Unused',
    CommitmentDiscountQuantity: String(bytes),
  }
}

function instantOf(text: string): string {
  return instantText(Date.parse(text))
}

/** FOCUS writes instants without fractions of a second. */
function instantText(instantMs: number): string {
  return `${new Date(instantMs).toISOString().slice(0, 19)}Z`
}

/**
 * Rules of FOCUS 1.2 that rows of the export keep, each by the column or attribute that states it.
 *
 * Source: focus.finops.org/focus-specification/v1-2. What the export cannot keep is in
 * docs/reference/exports.md, and `KNOWN` below says for which rows.
 */
import { FOCUS_COLUMNS } from '../../src/billing/focus-columns.ts'
import type { FocusRow } from '../../src/billing/focus-rows.ts'

type Check = (row: FocusRow) => boolean

const isOneOf =
  (...values: readonly (string | null)[]) =>
  (value: string | null): boolean =>
    values.includes(value)
const isCorrection: Check = (row) => row.ChargeClass === 'Correction'
const isUsage: Check = (row) => row.ChargeCategory === 'Usage'
const isPurchase: Check = (row) => row.ChargeCategory === 'Purchase'
const isOfPackage: Check = (row) => row.CommitmentDiscountId !== null
const isPart: Check = (row) => row.CommitmentDiscountStatus !== null

const DECIMAL = /^-?\d+(?:\.\d+)?$/
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/
const UNIT = /^(?:B|GB|GiB|(?:b|Mb|Mib)\/Second|Packages)$/

/** Exact, at forty decimals. */
function scaled(text: string): bigint {
  const [whole = '', decimals = ''] = text.split('.')
  const size = BigInt(whole.replace('-', '') + decimals.padEnd(40, '0'))
  return text.startsWith('-') ? -size : size
}

const isPositive = (text: string | null): boolean => text !== null && scaled(text) > 0n
const isZero = (text: string | null): boolean => text !== null && scaled(text) === 0n

/** Quantity × price, rounded once to a billionth, is the cost. */
function isProduct(quantity: string | null, price: string | null, cost: string | null): boolean {
  if (price === null) return true
  if (quantity === null || cost === null) return false
  const difference = scaled(quantity) * scaled(price) - scaled(cost) * 10n ** 40n
  const half = 10n ** 71n / 2n
  return difference <= half && difference >= -half
}

const NOT_NULL = [
  'BilledCost',
  'BillingAccountId',
  'BillingAccountType',
  'BillingCurrency',
  'BillingPeriodStart',
  'BillingPeriodEnd',
  'ChargeCategory',
  'ChargeFrequency',
  'ChargePeriodStart',
  'ChargePeriodEnd',
  'ContractedCost',
  'EffectiveCost',
  'InvoiceId',
  'InvoiceIssuerName',
  'ListCost',
  'ProviderName',
  'PublisherName',
  'ServiceCategory',
  'ServiceName',
  'ServiceSubcategory',
] as const satisfies readonly (keyof FocusRow)[]

const RULES: Readonly<Record<string, Check>> = {
  'mandatory columns are not null': (row) => NOT_NULL.every((name) => row[name] !== null),
  'NumericFormat: plain decimals': (row) =>
    FOCUS_COLUMNS.every(
      ({ name, type }) => type !== 'number' || row[name] === null || DECIMAL.test(row[name] ?? ''),
    ),
  'DateTimeFormat: UTC, to the second': (row) =>
    [
      row.BillingPeriodStart,
      row.BillingPeriodEnd,
      row.ChargePeriodStart,
      row.ChargePeriodEnd,
    ].every((text) => INSTANT.test(text ?? '')),
  'ChargePeriodEnd: after its start': (row) =>
    (row.ChargePeriodStart ?? '') < (row.ChargePeriodEnd ?? ''),
  CurrencyCodeFormat: (row) => /^[A-Z]{3}$/.test(row.BillingCurrency ?? ''),
  UnitFormat: (row) =>
    [row.PricingUnit, row.ConsumedUnit, row.CommitmentDiscountUnit].every(
      (unit) => unit === null || UNIT.test(unit),
    ),
  'ChargeCategory: allowed values': ({ ChargeCategory }) =>
    isOneOf('Usage', 'Purchase')(ChargeCategory),
  'ChargeClass: allowed values': ({ ChargeClass }) => isOneOf('Correction', null)(ChargeClass),
  'ChargeFrequency: no purchase is usage-based': (row) =>
    isOneOf(...(isPurchase(row) ? ['One-Time', 'Recurring'] : ['Usage-Based']))(
      row.ChargeFrequency,
    ),
  'ServiceCategory and ServiceSubcategory: allowed values': (row) =>
    row.ServiceCategory === 'Networking' &&
    isOneOf('Content Delivery', 'Network Connectivity')(row.ServiceSubcategory),
  'PricingCategory: committed where a commitment is used, standard where it is bought': (row) =>
    row.PricingCategory === (isPart(row) ? 'Committed' : 'Standard'),
  'SkuId: not null for usage and purchases': ({ SkuId }) => SkuId !== null,
  'SkuPriceId: not null but for corrections': (row) => row.SkuPriceId !== null || isCorrection(row),
  'PricingQuantity and PricingUnit: not null': (row) =>
    row.PricingQuantity !== null && row.PricingUnit !== null,
  'PricingQuantity: negative for corrections only': (row) =>
    isCorrection(row) || !(row.PricingQuantity ?? '').startsWith('-'),
  'ListUnitPrice: not null but for corrections': (row) =>
    row.ListUnitPrice !== null || isCorrection(row),
  'ListCost: list unit price × quantity': (row) =>
    isCorrection(row) || isProduct(row.PricingQuantity, row.ListUnitPrice, row.ListCost),
  'ContractedCost: contracted unit price × quantity': (row) =>
    isCorrection(row) ||
    isProduct(row.PricingQuantity, row.ContractedUnitPrice, row.ContractedCost),
  'ContractedCost: the list cost where nothing is negotiated': (row) =>
    row.ContractedCost === row.ListCost && row.ContractedUnitPrice === row.ListUnitPrice,
  'unit prices are not negative': (row) => !(row.ListUnitPrice ?? '').startsWith('-'),
  'ConsumedQuantity: for usage that is not unused, and for nothing else': (row) =>
    isUsage(row) && row.CommitmentDiscountStatus !== 'Unused'
      ? row.ConsumedQuantity !== null &&
        (isCorrection(row) || !row.ConsumedQuantity.startsWith('-'))
      : row.ConsumedQuantity === null,
  'ConsumedUnit: where there is a ConsumedQuantity': (row) =>
    (row.ConsumedUnit === null) === (row.ConsumedQuantity === null),
  'ResourceType: where there is a ResourceId': (row) =>
    (row.ResourceType === null) === (row.ResourceId === null),
  'EffectiveCost: 0 for a purchase that covers later usage': (row) =>
    !isPurchase(row) || isZero(row.EffectiveCost),
  'EffectiveCost: what was billed, where no commitment is part of it': (row) =>
    isOfPackage(row) || row.EffectiveCost === row.BilledCost,
  'BilledCost: 0 where a commitment covers all': (row) => !isPart(row) || isZero(row.BilledCost),
  'CommitmentDiscountId: on every purchase': (row) => !isPurchase(row) || isOfPackage(row),
  'CommitmentDiscount…: all or none': (row) =>
    [
      row.CommitmentDiscountName,
      row.CommitmentDiscountCategory,
      row.CommitmentDiscountType,
      row.CommitmentDiscountQuantity,
      row.CommitmentDiscountUnit,
    ].every((value) => (value !== null) === isOfPackage(row)),
  'CommitmentDiscountCategory: allowed values': (row) =>
    isOneOf('Usage', null)(row.CommitmentDiscountCategory),
  'CommitmentDiscountStatus: for usage of a commitment, and for nothing else': (row) =>
    isUsage(row) && isOfPackage(row)
      ? isOneOf('Used', 'Unused')(row.CommitmentDiscountStatus)
      : row.CommitmentDiscountStatus === null,
  'CommitmentDiscountQuantity: positive but for corrections': (row) =>
    !isOfPackage(row) || isCorrection(row) || isPositive(row.CommitmentDiscountQuantity),
  'DiscountHandling: the commitment is the resource of its purchase and of its unused part': (
    row,
  ) =>
    !isOfPackage(row) ||
    row.CommitmentDiscountStatus === 'Used' ||
    row.ResourceId === row.CommitmentDiscountId,
}

/** Rows for which docs/reference/exports.md says that a rule is not kept. */
const KNOWN: Readonly<Record<string, Check>> = {
  'ListUnitPrice: not null but for corrections': (row) =>
    isPart(row) || row.PricingUnit?.endsWith('/Second') === true || row.x_BillLine !== null,
  // Given back in the month in which it was bought: nothing was invoiced that could be corrected.
  'PricingQuantity: negative for corrections only': (row) =>
    isPurchase(row) && (row.BilledCost ?? '').startsWith('-'),
  'CommitmentDiscountQuantity: positive but for corrections': (row) =>
    isPurchase(row) && (row.BilledCost ?? '').startsWith('-'),
}

const never: Check = () => false

/** Names the rules that a row breaks, but for those that it is known to break. */
export function brokenFocusRules(row: FocusRow): string[] {
  return Object.entries(RULES)
    .filter(([name, isKept]) => !isKept(row) && !(KNOWN[name] ?? never)(row))
    .map(([name]) => name)
}

/** Sums a cost by package and currency over the rows that fit. */
export function sumByPackage(
  rows: readonly FocusRow[],
  column: 'BilledCost' | 'EffectiveCost' | 'CommitmentDiscountQuantity',
  fits: Check,
): Record<string, bigint> {
  const sums: Record<string, bigint> = {}
  for (const row of rows) {
    if (row.CommitmentDiscountId === null || !fits(row)) continue
    const key = row.CommitmentDiscountId
    sums[key] = (sums[key] ?? 0n) + scaled(row[column] ?? '0')
  }
  return sums
}

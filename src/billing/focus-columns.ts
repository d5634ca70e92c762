/** A column of the FOCUS export. */
export interface FocusColumn {
  readonly name: string
  readonly type: 'text' | 'number'
  /** What Weir puts there. */
  readonly doc: string
}

const text = <Name extends string>(name: Name, doc: string) =>
  ({ name, type: 'text', doc }) as const
const number = <Name extends string>(name: Name, doc: string) =>
  ({ name, type: 'number', doc }) as const

/**
 * Columns of the FOCUS export, in their order: those of the specification that Weir can fill, then
 * its own, whose names begin with `x_`.
 *
 * Source: FOCUS 1.2, focus.finops.org/focus-specification/v1-2; docs/reference/exports.md is kept
 * equal to this list by a test.
 */
export const FOCUS_COLUMNS = [
  text('BillingAccountId', 'Id of the account.'),
  text('BillingAccountName', 'Its name when the bill was closed.'),
  text('BillingAccountType', '`Account`.'),
  text('SubAccountId', 'The project, for rules of level `project`; otherwise empty.'),
  text('InvoiceId', 'Id of the bill.'),
  text('InvoiceIssuerName', 'The account’s brand.'),
  text('ProviderName', 'The account’s brand.'),
  text('PublisherName', 'The account’s brand.'),
  text('BillingPeriodStart', 'Start of the bill’s month in the account’s zone, as UTC.'),
  text('BillingPeriodEnd', 'Its end, exclusive.'),
  text('ChargePeriodStart', 'Start of the day or month that the row is about.'),
  text('ChargePeriodEnd', 'Its end, exclusive.'),
  text('ChargeCategory', '`Usage`, or `Purchase` for packages bought and given back.'),
  text('ChargeClass', '`Correction` for what is about an earlier month; otherwise empty.'),
  text('ChargeDescription', 'What the line is for, in one sentence.'),
  text('ChargeFrequency', '`Usage-Based`, or `One-Time` for packages.'),
  text('ServiceCategory', '`Networking`.'),
  text('ServiceSubcategory', '`Content Delivery` for cdn, otherwise `Network Connectivity`.'),
  text('ServiceName', 'What the meter measures.'),
  text(
    'ResourceId',
    'The resource, for rules of level `resource`; the package, where it is bought, given back or unused.',
  ),
  text(
    'ResourceType',
    '`Domain`, `Elastic IP`, `Gateway` or `Traffic package`, where there is a ResourceId.',
  ),
  text('SkuId', '`<meter>/<rule>`, or `<meter>/package`.'),
  text(
    'SkuPriceId',
    '`<pack>@<version>/<rule>/<tier>`, empty where the pack is not on the bill; `<meter>/package/<package>`.',
  ),
  text('PricingCategory', '`Standard`, or `Committed` for parts of packages.'),
  number('PricingQuantity', 'What is priced, exactly, in PricingUnit.'),
  text('PricingUnit', '`GB`, `GiB`, `Mb/Second`, `Mib/Second`, `Packages`, or `B`.'),
  number('ConsumedQuantity', 'As measured: bytes, or bit/s.'),
  text('ConsumedUnit', '`B` or `b/Second`.'),
  number('ListUnitPrice', 'The price, where quantity × price is the cost; otherwise empty.'),
  number('ContractedUnitPrice', 'The same: the books know one price.'),
  number('ListCost', 'The same as BilledCost; for parts of packages, as EffectiveCost.'),
  number('ContractedCost', 'The same as ListCost: the books know one price.'),
  number(
    'EffectiveCost',
    'The same as BilledCost; 0 for a package bought or given back, whose price is in its parts.',
  ),
  number(
    'BilledCost',
    'The line’s amount, negative where money goes back; 0 for parts of packages.',
  ),
  text(
    'BillingCurrency',
    'ISO 4217; `XXX` for a package without a price on a bill without amounts.',
  ),
  text('CommitmentDiscountId', 'The package, on every row about one.'),
  text('CommitmentDiscountName', 'Its id: packages have no other name.'),
  text('CommitmentDiscountCategory', '`Usage`, there.'),
  text('CommitmentDiscountType', '`Traffic package`, there.'),
  text('CommitmentDiscountStatus', '`Used` or `Unused`, on rows of parts of packages.'),
  number('CommitmentDiscountQuantity', 'Bytes bought, used or left unused; negative given back.'),
  text('CommitmentDiscountUnit', '`B`, there.'),
  number('x_BillLine', 'Number of the bill’s line, from 1; empty for parts of packages.'),
  text('x_Member', 'Account, project, resource or group whose usage was summed.'),
  text('x_BillHash', 'SHA-256 of the bill.'),
] as const satisfies readonly FocusColumn[]

export type FocusColumnName = (typeof FOCUS_COLUMNS)[number]['name']

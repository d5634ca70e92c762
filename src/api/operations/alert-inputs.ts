import { z } from 'zod'
import type { AlertWatch } from '../../billing/alert.ts'
import { defaultRecovery, limitsProblem } from '../../billing/alert-rules.ts'
import { invalidInput, NameInput, parseInput, RefInput } from '../../catalog/input.ts'
import { AccountRef, AreaScopeInput, KindInput, MeterInput } from '../../catalog/inputs.ts'
import { parseMoney, type Nano } from '../../core/money.ts'

const Decimal = z
  .string()
  .regex(/^\d{1,15}(\.\d{1,9})?$/, 'must be a decimal number as text, such as "10" or "99.50"')

/** What a new alert takes. */
export const CreateAlert = z.strictObject({
  account: AccountRef,
  meter: MeterInput,
  name: NameInput,
  watch: z
    .enum(['percent-left', 'days-left', 'amount', 'bandwidth'])
    .describe(
      'percent-left and days-left warn of packages that run out, amount of the cost of the month so far, bandwidth of much traffic.',
    ),
  threshold: Decimal.describe(
    'Reaching it fires. Percent, days, units of the currency, or bit/s. days-left 3 is the usual one.',
  ),
  recovery: Decimal.optional().describe(
    'Passing it recovers; a tenth of the threshold behind it when absent.',
  ),
  package: RefInput.optional().describe(
    'percent-left, days-left: id of a single package; all valid ones when absent.',
  ),
  area: AreaScopeInput.optional().describe(
    'percent-left, days-left: only packages of this area, or of this part of abroad.',
  ),
  kind: KindInput.optional().describe('percent-left, days-left: only packages of this kind.'),
  currency: z
    .string()
    .regex(/^[A-Z]{3}$/, 'must be a code such as CNY')
    .optional()
    .describe('amount: the currency, such as CNY.'),
  direction: z.enum(['in', 'out']).optional().describe('bandwidth: out when absent.'),
  of: z
    .enum(['slot', 'day-peak'])
    .optional()
    .describe('bandwidth: the last five minutes (when absent), or the highest of today.'),
  endpoints: z
    .array(RefInput)
    .max(20)
    .default([])
    .describe('Ids of webhook endpoints that are told.'),
  emails: z
    .array(z.email('must be an e-mail address').max(254))
    .max(20)
    .default([])
    .describe('Addresses that are told.'),
})

/** What a new webhook endpoint takes. */
export const CreateAlertEndpoint = z.strictObject({
  name: NameInput,
  url: z
    .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
    .max(2000)
    .refine((text) => {
      // What is no URL at all has been said already.
      if (!URL.canParse(text)) return true
      const { username, password, hash } = new URL(text)
      return username === '' && password === '' && hash === ''
    }, 'must hold no user, password or fragment; requests are signed instead')
    .describe('Where notifications are posted. Private addresses are allowed.'),
})

/** A new alert, read. */
export interface AlertDraft {
  readonly account: string
  readonly meter: z.output<typeof MeterInput>
  readonly name: string
  readonly watch: AlertWatch
  readonly threshold: Nano
  readonly recovery: Nano
  readonly endpoints: readonly string[]
  readonly emails: readonly string[]
}

type Fields = z.output<typeof CreateAlert>

/** Fields that belong to some watches only. */
const OWN_FIELDS = {
  'percent-left': ['package', 'area', 'kind'],
  'days-left': ['package', 'area', 'kind'],
  amount: ['currency'],
  bandwidth: ['direction', 'of'],
} as const

const ALL_OWN = ['package', 'area', 'kind', 'currency', 'direction', 'of'] as const

/**
 * Reads a new alert.
 *
 * Errors: `parameter_invalid`, naming every field that is wrong, misplaced or missing.
 */
export function parseAlert(body: unknown): AlertDraft {
  const fields = parseInput(CreateAlert, body)
  const own: readonly string[] = OWN_FIELDS[fields.watch]
  const problems = ALL_OWN.filter((name) => fields[name] !== undefined && !own.includes(name)).map(
    (field) => ({ field, message: `does not belong to ${fields.watch}` }),
  )
  if (fields.watch === 'amount' && fields.currency === undefined) {
    problems.push({ field: 'currency', message: 'is required' })
  }
  if (fields.meter !== 'cdn') {
    for (const field of ['area', 'kind'] as const) {
      if (fields[field] === undefined || !own.includes(field)) continue
      problems.push({ field, message: `belongs to cdn; packages of ${fields.meter} have none` })
    }
  }
  if (fields.package !== undefined && (fields.area ?? fields.kind) !== undefined) {
    problems.push({ field: 'package', message: 'is one package; leave out area and kind' })
  }
  if (fields.endpoints.length === 0 && fields.emails.length === 0) {
    const message = 'name at least one endpoint or e-mail address to be told'
    throw invalidInput([...problems, { field: 'endpoints', message }])
  }
  if (problems.length > 0) throw invalidInput(problems)
  const watch = watchOf(fields)
  const threshold = parseMoney(fields.threshold, 'threshold')
  const recovery =
    fields.recovery === undefined
      ? defaultRecovery(watch, threshold)
      : parseMoney(fields.recovery, 'recovery')
  const problem = limitsProblem(watch, threshold, recovery)
  if (problem !== null) throw invalidInput([problem])
  const { account, meter, name } = fields
  return {
    account,
    meter,
    name,
    watch,
    threshold,
    recovery,
    endpoints: [...new Set(fields.endpoints)],
    emails: [...new Set(fields.emails)],
  }
}

function watchOf(fields: Fields): AlertWatch {
  switch (fields.watch) {
    case 'percent-left':
    case 'days-left':
      return {
        type: fields.watch,
        packageId: fields.package ?? null,
        area: fields.area ?? null,
        kind: fields.kind ?? null,
      }
    case 'amount':
      return { type: 'amount', currency: fields.currency ?? '' }
    case 'bandwidth':
      return {
        type: 'bandwidth',
        direction: fields.direction ?? 'out',
        of: fields.of ?? 'slot',
      }
  }
}

/**
 * What changes of the catalog take, whoever sends them: the admin API, the CLI or a catalog file.
 *
 * `Create…` and `Add…` name what a new entry needs and fill in the rest; `Update…` names what may
 * change later, every field optional. Unknown fields are errors.
 */

import { z } from 'zod'
import { DEFAULT_ZONE } from '../core/period.ts'
import { METER_NAMES } from '../meters/meter.ts'
import { AREA_SCOPES } from './area-scope.ts'
import { InstantInput, NameInput, RefInput, ZoneInput, idInput } from './input.ts'
import { SOURCE_EXPECTATIONS } from './model.ts'
import { canonicalAddress, canonicalDomain } from './names.ts'
import { DEFAULT_REGION } from './regions.ts'

const Radix = z
  .union([z.literal(1000), z.literal(1024)])
  .describe('What a kilobyte means in answers: 1000 or 1024 bytes.')

const Host = z
  .string()
  .transform((text) => canonicalDomain(text) ?? canonicalAddress(text) ?? '')
  .refine((text) => text !== '', 'must be a host name without port')

export const AccountRef = RefInput.describe('Id or name of the account.')
export const ProjectRef = RefInput.describe('Id or name of the project.')
export const MeterInput = z.enum(METER_NAMES).describe('What is measured.')
/** Whose clients, for packages and what watches them; see `AreaScope`. */
export const AreaScopeInput = z
  .enum(AREA_SCOPES)
  .describe('cdn: cn, abroad as a whole, one region of it, or abroad-other: no region known.')
export const KindInput = z
  .enum(['static', 'dynamic'])
  .describe('cdn: static content, or dynamic for whole-site acceleration.')
export const PayModeInput = z
  .enum(['Traffic', 'Bandwidth', 'ShareBandwidth', 'PostAccurateBandwidth'])
  .describe('eip: how the address is paid for.')
export const ResetPolicyInput = z.enum(['Day', 'Month', 'Year'])

const brand = {
  name: NameInput,
  hosts: z
    .array(Host)
    .max(100)
    .describe('Host names under which this brand answers; none: every other host.'),
  radixCn: Radix,
  radixAbroad: Radix,
  zone: ZoneInput,
  responseAliases: z
    .boolean()
    .describe('Answers also carry the field names that only the documents’ examples show.'),
}

export const CreateBrand = z.strictObject({
  ...brand,
  hosts: brand.hosts.prefault([]),
  radixCn: brand.radixCn.default(1024),
  radixAbroad: brand.radixAbroad.default(1024),
  zone: brand.zone.default(DEFAULT_ZONE),
  responseAliases: brand.responseAliases.default(true),
})
export const UpdateBrand = z.strictObject(brand).partial()

/** Vendor clients keep the number in 32 bits. */
export const ACCOUNT_NUMBER_FIRST = 50_000_001
export const ACCOUNT_NUMBER_MAX = 2 ** 31 - 1

export const CreateAccount = z.strictObject({
  id: idInput('acc'),
  name: NameInput,
  email: z.string().max(254).default(''),
  brand: RefInput.optional().describe('Id or name; the first brand when absent.'),
  parent: RefInput.optional().describe('Id or name of the root account; makes a sub-account.'),
  zone: ZoneInput.optional().describe("Time zone of the billing day; the brand's when absent."),
  number: z
    .int()
    .min(1)
    .max(ACCOUNT_NUMBER_MAX)
    .optional()
    .describe(`The vendor's integer AccountId; the next from ${ACCOUNT_NUMBER_FIRST} when absent.`),
  defaultProject: NameInput.default('Default').describe('Name of the project made with it.'),
  defaultProjectId: idInput('org'),
})
export const UpdateAccount = z
  .strictObject({ name: NameInput, email: z.string().max(254) })
  .partial()

const MakeDefault = z
  .literal(true)
  .describe('Makes it the default; the former one is it no longer.')
export const CreateProject = z.strictObject({
  id: idInput('org'),
  account: AccountRef,
  name: NameInput,
  isDefault: MakeDefault.optional(),
})
export const UpdateProject = z
  .strictObject({
    name: NameInput,
    isDefault: MakeDefault,
  })
  .partial()

const KeyText = z.string().regex(/^[\x21-\x2e\x30-\x7e]{8,128}$/, {
  error: 'must be 8 to 128 printable ASCII characters without space or "/"',
})
export const CreateKey = z
  .strictObject({
    account: AccountRef,
    name: NameInput.optional(),
    dialect: z
      .enum(['any', 'ucloud', 'tencent'])
      .default('any')
      .describe('Which dialect may use the pair; both by default.'),
    publicKey: KeyText.optional().describe('Keeps a pair that clients already use.'),
    secret: z.string().min(8).max(128).optional(),
  })
  .refine((input) => (input.publicKey === undefined) === (input.secret === undefined), {
    path: ['secret'],
    error: 'give publicKey and secret together, or neither',
  })

const RegionCode = z.string().regex(/^[a-z0-9-]{2,40}$/, 'must look like cn-bj2')
export const AddRegion = z.strictObject({
  region: RegionCode,
  regionId: z.int().min(1).max(ACCOUNT_NUMBER_MAX).optional(),
  name: NameInput,
  isDefault: z.boolean().default(false),
  zones: z.array(RegionCode).min(1).max(50),
})

export const CreateResource = z.strictObject({
  id: idInput('ucdn', 'eip', 'mna', 'domain'),
  meter: MeterInput,
  account: AccountRef,
  project: ProjectRef.optional().describe('Id or name; the default project when absent.'),
  name: z
    .string()
    .min(1)
    .max(256)
    .describe('What usage calls it: the domain name, the address, the device name.'),
  region: RegionCode.default(DEFAULT_REGION),
  zone: RegionCode.optional().describe('The first zone of the region when absent.'),
  kind: KindInput.default('static'),
  gatewayType: z
    .union([z.literal(0), z.literal(1)])
    .default(0)
    .describe('mna: 0 public cloud gateway, 1 private.'),
  payMode: PayModeInput.default('Traffic'),
  createdAt: InstantInput.optional().describe('Usage before it is not accepted; default now.'),
})
export const MoveResource = z.strictObject({
  account: AccountRef.optional().describe('Only to hand it to another account.'),
  project: ProjectRef,
  fromAt: InstantInput.optional().describe(
    'Usage from here on belongs to the project; default now.',
  ),
})
export const ChangePayMode = z.strictObject({
  payMode: PayModeInput,
  fromAt: InstantInput.optional().describe('The mode applies from here on; default now.'),
})
export const DeleteResource = z.strictObject({
  atTime: InstantInput.optional().describe('End of its life; default the end of this minute.'),
})

export const SourceExpectationInput = z
  .enum(SOURCE_EXPECTATIONS)
  .describe('continuous: usage or a heartbeat in every five minutes; sporadic: nothing.')

export const CreateSource = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, {
    error: 'must be 1 to 64 letters, digits, dots, dashes',
  }),
  meters: z
    .array(MeterInput)
    .min(1)
    .transform((meters) => METER_NAMES.filter((meter) => meters.includes(meter)))
    .describe('What it may report.'),
  account: AccountRef.nullable()
    .default(null)
    .describe("Id or name; only this account's resources may be reported."),
  expects: SourceExpectationInput.default('continuous'),
})
export const UpdateSource = z.strictObject({ expects: SourceExpectationInput })

export const CreateAdminToken = z.strictObject({ name: NameInput })

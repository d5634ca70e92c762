import { z } from 'zod'
import { findRootAccount } from '../../catalog/change.ts'
import { parseInput } from '../../catalog/input.ts'
import { AccountRef, MeterInput } from '../../catalog/inputs.ts'
import { formatInstant } from '../../catalog/versions.ts'
import { formatLocal } from '../../core/period-text.ts'
import { METER_NAMES } from '../../meters/meter.ts'
import { listModes, type ShownMode, switchMode } from '../operations/charge-modes.ts'
import { findPack, listPacks, type ShownPack } from '../operations/rule-packs.ts'
import { cutPage, listQuery, pageAnswer, pageOf, pageToWire, route } from './route.ts'

const Instant = z.string().meta({ format: 'date-time' })

const RulePackWire = z
  .object({
    hash: z.string().describe('SHA-256 of what the pack says; bills name it.'),
    name: z.string(),
    version: z.string(),
    currency: z.string(),
    meters: z.array(MeterInput),
    rules: z.int().describe('How many.'),
    description: z.string(),
    origin: z.enum(['shipped', 'added']).describe('shipped: it comes with this release.'),
    recordedAt: Instant.nullable().describe('When it was added or first used; null: never.'),
  })
  .meta({ id: 'RulePack' })
const RulePackText = RulePackWire.extend({
  content: z.string().describe('YAML, as it was written.'),
}).meta({ id: 'RulePackText' })

function packToWire({ pack, hash, isShipped, recordedMs }: ShownPack) {
  const { name, version, currency, meters, rules, description } = pack
  const recordedAt = recordedMs === null ? null : formatInstant(recordedMs)
  const origin = isShipped ? 'shipped' : 'added'
  const counted = { currency, meters, rules: rules.length }
  return { hash, name, version, ...counted, description, origin, recordedAt }
}

const AddRulePack = z.strictObject({
  pack: z.string().min(1).describe('The rule pack, as YAML.'),
  file: z.string().min(1).max(500).default('pack').describe('What to call it in messages.'),
})

const PACKS = [
  route('GET', '/rule-packs', {
    summary: 'List the rule packs that come with Weir and those that were added, by name.',
    query: listQuery({ name: z.string().optional() }),
    answer: pageAnswer(RulePackWire),
    run: async ({ charges, query }) => {
      const packs = await listPacks(query.name, charges)
      return pageToWire(
        cutPage(packs, pageOf(query), ({ hash }) => hash),
        packToWire,
      )
    },
  }),
  route('POST', '/rule-packs', {
    summary: 'Add a rule pack; a changed one needs a raised version.',
    body: AddRulePack,
    answer: RulePackWire,
    run: async ({ charges, actor, body }) => {
      const { pack: text, file } = parseInput(AddRulePack, body)
      return packToWire((await charges.packs.add({ file, text }, actor)).known)
    },
  }),
  route('GET', '/rule-packs/{id}', {
    summary: 'Show a rule pack, by hash, or by name the highest version, as it was written.',
    answer: RulePackText,
    run: async ({ charges, id }) => {
      const found = await findPack(id, charges)
      return { ...packToWire(found), content: found.content }
    },
  }),
]

const Groups = z
  .record(z.string().min(1).max(128), z.array(z.string().min(1)).min(1))
  .describe('Group name → resource ids, for rules of level group.')

const ChargeModeWire = z
  .object({
    id: z.string().nullable().describe('null: nothing is written yet.'),
    accountId: z.string(),
    meter: MeterInput,
    rules: z.string().describe('Name of the rule pack.'),
    version: z.string(),
    hash: z.string(),
    groups: Groups,
    state: z
      .enum(['past', 'current', 'coming', 'overruled', 'default'])
      .describe(
        'overruled: a later request for the same day took its place. default: nothing is ' +
          'written yet, and the configuration says so.',
      ),
    fromAt: Instant.nullable(),
    localFrom: z.string().describe('The same on the clock of the account, with its zone.'),
    requestedAt: Instant.nullable(),
    actor: z.string().describe('Who asked for it; default: nobody, the configuration said so.'),
  })
  .meta({ id: 'ChargeMode' })

function modeToWire({ accountId, zone, meter, pack, version, hash, state, entry }: ShownMode) {
  return {
    id: entry?.id ?? null,
    accountId,
    meter,
    rules: pack,
    version,
    hash,
    groups: entry?.groups ?? {},
    state,
    fromAt: entry === null ? null : formatInstant(entry.fromMs),
    localFrom: entry === null ? '' : `${formatLocal(entry.fromMs, zone)} ${zone}`,
    requestedAt: entry === null ? null : formatInstant(entry.requestedMs),
    actor: entry?.actor ?? 'default',
  }
}

const SwitchChargeMode = z.strictObject({
  account: AccountRef,
  meter: MeterInput,
  rules: z.string().min(1).describe('Name of the rule pack; its highest version is meant.'),
  groups: Groups.default({}).describe(
    'Group name → resources, by id or name, for rules of level group.',
  ),
})

const MODES = [
  route('GET', '/charge-modes', {
    summary: 'List by which rule pack an account is, was and will be billed.',
    query: listQuery({ account: AccountRef, meter: MeterInput.optional() }),
    answer: pageAnswer(ChargeModeWire),
    run: async ({ catalog, charges, query }) => {
      const account = await findRootAccount(catalog.rows, query.account)
      const meters = query.meter === undefined ? METER_NAMES : [query.meter]
      const modes = await listModes(account, meters, charges)
      const keyOf = ({ entry, meter }: ShownMode) => entry?.id ?? meter
      return pageToWire(cutPage(modes, pageOf(query), keyOf), modeToWire)
    },
  }),
  route('POST', '/charge-modes', {
    summary: 'Bill an account by another rule pack from its next local midnight on.',
    body: SwitchChargeMode,
    answer: ChargeModeWire,
    run: async ({ charges, actor, body }) => {
      const { rules: pack, ...request } = parseInput(SwitchChargeMode, body)
      return modeToWire(await switchMode({ ...request, pack, actor }, charges))
    },
  }),
]

/** Operations on rule packs and charge modes. */
export const CHARGE_ROUTES = [...PACKS, ...MODES]

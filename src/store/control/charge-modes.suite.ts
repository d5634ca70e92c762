import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CHARGE_CONFIG } from '../../../test/support/charges.ts'
import { createChargeDesk } from '../../billing/charge-desk.ts'
import { chargeStretches } from '../../billing/charge-modes.ts'
import { createPackRegistry } from '../../billing/pack-registry.ts'
import { createCatalog } from '../../catalog/catalog.ts'
import { DAY_MS, HOUR_MS } from '../../core/period.ts'
import { createChargeStore } from './charge-modes.ts'
import { openControlStore } from './control-store.ts'
import { createMasterKeys } from './master-key.ts'

/** 2026-11-21 16:30:15 in Shanghai. */
const NOW_MS = Date.UTC(2026, 10, 21, 8, 30, 15)
const at = (text: string) => Date.parse(`${text}:00+08:00`)
const NAMES = ['ucloud-cdn', 'ucloud-cdn-bandwidth', 'ucloud-eip', 'tencent-mna', 'generic-95']
const SHIPPED = NAMES.map((name) => ({
  file: `${name}.yaml`,
  text: readFileSync(new URL(`../../../rules/${name}.yaml`, import.meta.url), 'utf8'),
}))

const packText = (name: string, version: string | number, price = '1.00', rest = '') =>
  `# ${name} as its author wrote it\nname: ${name}\nversion: ${version}\ndescription: A test.\n` +
  `currency: CNY\n${rest}rules:\n  - { type: traffic, name: all, price: "${price}" }\n`
const GROUPED = `name: lines\nversion: 1\ndescription: d\ncurrency: CNY\nmeters: [eip]\nrules:
  - { type: bandwidth, name: line, level: group, mode: monthly-95, price: "1" }\n`

async function openWorld(location: string) {
  const clock = {
    ms: NOW_MS,
    nowMs() {
      return this.ms
    },
  }
  const masterKeys = createMasterKeys([randomBytes(32).toString('base64')])
  const store = await openControlStore(location, { clock, masterKeys })
  const catalog = createCatalog(store.catalog, { clock })
  await catalog.ensureDefaults()
  const open = (shipped = SHIPPED, config = CHARGE_CONFIG) => {
    const rows = createChargeStore(store.db, store.catalog)
    const packs = createPackRegistry({ store: rows, shipped, clock })
    return { packs, desk: createChargeDesk(config, { store: rows, packs, clock }) }
  }
  const writer = catalog.as('ops')
  const account = await writer.createAccount({ name: 'acme' })
  return { store, catalog, clock, open, writer, account, location, ...open() }
}

type World = Awaited<ReturnType<typeof openWorld>>

/** The guarantees of rule packs and charge modes; `newLocation` names an empty database. */
export function chargeModesSuite(newLocation: () => Promise<string>): void {
  let world: World
  beforeEach(async () => {
    world = await openWorld(await newLocation())
  })
  afterEach(() => world.store.close())

  packTests(() => world)
  versionTests(() => world)
  switchTests(() => world)
  firstModeTests(() => world)
  refusalTests(() => world)
}

function packTests(world: () => World): void {
  test('a pack is kept as it was written, and read again by the hash of what it says', async () => {
    const { packs, open } = world()
    const text = packText('mine', 1)
    const { known, isNew } = await packs.add({ file: 'mine.yaml', text }, 'ops')
    expect([isNew, known.content, known.recordedMs]).toEqual([true, text, NOW_MS])
    const again = open()
    expect(await again.packs.pack(known.hash)).toEqual(known.pack)
    expect((await again.packs.find('mine')).content).toBe(text)
  })
  test('adding a pack again changes nothing, however it is written', async () => {
    const { packs, clock, catalog } = world()
    const first = await packs.add({ file: 'mine.yaml', text: packText('mine', 1) }, 'ops')
    clock.ms += DAY_MS
    const written = { file: 'x', text: `# other\n${packText('mine', 1, '1.000')}` }
    const again = await packs.add(written, 'ops')
    expect(again).toEqual({ known: first.known, isNew: false })
    const log = await catalog.rows.audit.list(
      { action: 'rule-pack.add' },
      { limit: 9, cursor: null },
    )
    expect(log.items).toMatchObject([
      { actor: 'ops', target: 'mine 1', after: { hash: first.known.hash } },
    ])
  })
  test('a kept text that reads differently than when it was kept is never used', async () => {
    const { packs, store, open } = world()
    const { known } = await packs.add({ file: 'm', text: packText('mine', 1) }, 'ops')
    await store.db
      .updateTable('rule_packs')
      .set({ content: packText('mine', 1, '0.01') })
      .where('hash', '=', known.hash)
      .execute()
    await expect(open().packs.pack(known.hash)).rejects.toThrow('reads differently')
    await expect(open().packs.find('mine')).rejects.toThrow('reads differently')
  })
  test('packs that come with Weir are there, and kept when they are first used', async () => {
    const { packs, desk, account, clock } = world()
    const before = await packs.list()
    expect(before.map(({ pack, recordedMs }) => [pack.name, recordedMs])).toEqual(
      NAMES.toSorted().map((name) => [name, null]),
    )
    clock.ms += 1
    await desk.switch({
      account: account.id,
      meter: 'cdn',
      pack: 'generic-95',
      groups: {},
      actor: 'a',
    })
    const after = (await packs.list()).filter(({ recordedMs }) => recordedMs !== null)
    expect(after.map(({ pack, isShipped }) => [pack.name, isShipped])).toEqual([
      ['generic-95', true],
    ])
  })
  test('an account keeps the pack of a release that no longer comes with it', async () => {
    const { desk, account, open } = world()
    const [old, next] = [packText('house', 1), packText('house', 2, '9')].map((text) => [
      ...SHIPPED,
      { file: 'house.yaml', text },
    ])
    const request = { account: account.id, meter: 'cdn' as const, groups: {}, actor: 'a' }
    const { mode } = await open(old).desk.switch({ ...request, pack: 'house' })
    const later = open(next)
    expect(await later.desk.pack(mode.packHash)).toMatchObject({ version: '1' })
    expect((await later.packs.find('house')).pack.version).toBe('2')
    expect(await desk.history(account.id, 'cdn')).toEqual([mode])
  })
  test('a kept version stands, also where a release ships something else under its name', async () => {
    const { account, open } = world()
    const [kept, other] = ['1', '9'].map((price) => [
      { file: 'house.yaml', text: packText('house', 1, price) },
      ...SHIPPED,
    ])
    const request = { account: account.id, meter: 'cdn' as const, groups: {}, actor: 'a' }
    const { mode } = await open(kept).desk.switch({ ...request, pack: 'house' })
    const { packs } = open(other)
    expect((await packs.find('house')).hash).toBe(mode.packHash)
    expect((await packs.list()).filter(({ pack }) => pack.name === 'house')).toHaveLength(1)
  })
  test.each([
    ['a zero character', 'name: a\0'],
    ['half a character', `${packText('a', 1)}# \ud800`],
  ])('%s is refused, since not every database could keep it', async (_what, text) => {
    await expect(world().packs.add({ file: 'f', text }, 'ops')).rejects.toMatchObject({
      code: 'parameter_invalid',
      message: 'f is no text in UTF-8.',
    })
  })
}

function versionTests(world: () => World): void {
  test.each([
    ['the same version', 2, 2],
    ['a lower version', 2, 1],
    ['the same version with a point', 2, '2.0.0'],
    ['a version that only sorts higher as text', 10, 9],
  ])('other content of %s is refused', async (_what, first, second) => {
    const { packs } = world()
    await packs.add({ file: 'm', text: packText('mine', first) }, 'ops')
    const changed = { file: 'm', text: packText('mine', second, '2') }
    await expect(packs.add(changed, 'ops')).rejects.toMatchObject({
      code: 'conflict',
      field: 'version',
      message: expect.stringContaining(`raise the version above ${first}`),
    })
    expect((await packs.list()).filter(({ pack }) => pack.name === 'mine')).toHaveLength(1)
  })
  test('a shipped pack with other prices needs a version or name of its own', async () => {
    const { packs } = world()
    const [{ text } = { text: '' }] = SHIPPED
    const cheaper = text.replace('"0.20"', '"0.02"')
    await expect(packs.add({ file: 'm', text: cheaper }, 'ops')).rejects.toMatchObject({
      code: 'conflict',
    })
    const named = cheaper.replace('name: ucloud-cdn', 'name: my-cdn')
    expect((await packs.add({ file: 'm', text: named }, 'ops')).isNew).toBe(true)
  })
  test('a name means its highest version, number by number', async () => {
    const { packs } = world()
    for (const version of ['1', '1.2.0', '1.10.0', '2', '10']) {
      await packs.add({ file: 'm', text: packText('mine', version, version.split('.')[0]) }, 'ops')
      expect((await packs.find('mine')).pack.version).toBe(version)
    }
    const listed = (await packs.list()).filter(({ pack }) => pack.name === 'mine')
    expect(listed.map(({ pack }) => pack.version)).toEqual(['1', '1.2.0', '1.10.0', '2', '10'])
  })
  test('a name that there is not is answered with those that there are', async () => {
    await expect(world().packs.find('no')).rejects.toMatchObject({
      code: 'not_found',
      message: `No rule pack is called no; there are ${NAMES.toSorted().join(', ')}.`,
    })
  })
}

function switchTests(world: () => World): void {
  const BEGAN = '2026-11-03T12:00'
  const begin = async ({ writer, account }: World, meter: 'cdn' | 'eip' = 'cdn') =>
    writer.createResource({
      meter,
      account: account.id,
      name: meter === 'cdn' ? 'www.acme.example' : '192.0.2.1',
      createdAt: at(BEGAN),
    })
  const switchTo = ({ desk, account }: World, pack: string, actor = 'ops') =>
    desk.switch({ account: account.id, meter: 'cdn', pack, groups: {}, actor })

  test('a switch takes effect at the next local midnight and bills nothing before it anew', async () => {
    const own = world()
    await begin(own)
    const { mode, isNew, zone } = await switchTo(own, 'generic-95')
    expect([isNew, zone, mode.fromMs]).toEqual([true, 'Asia/Shanghai', at('2026-11-22T00:00')])
    const history = await own.desk.history(own.account.id, 'cdn')
    expect(history.map(({ fromMs, actor }) => [fromMs, actor])).toEqual([
      [at('2026-11-03T00:00'), 'default'],
      [at('2026-11-22T00:00'), 'ops'],
    ])
    const month = { startMs: at('2026-11-01T00:00'), endMs: at('2026-12-01T00:00') }
    const names = await Promise.all(
      chargeStretches(history, month).map(async (stretch) => [
        stretch.startMs,
        (await own.desk.pack(stretch.mode.packHash)).name,
      ]),
    )
    expect(names).toEqual([
      [at('2026-11-03T00:00'), 'ucloud-cdn'],
      [at('2026-11-22T00:00'), 'generic-95'],
    ])
  })
  test('the last switch of a day wins, also within one millisecond, and all are kept', async () => {
    const own = world()
    await begin(own)
    for (const pack of [
      'generic-95',
      'ucloud-cdn-bandwidth',
      'generic-95',
      'ucloud-cdn-bandwidth',
    ]) {
      await switchTo(own, pack)
    }
    const history = await own.desk.history(own.account.id, 'cdn')
    expect(history).toHaveLength(5)
    expect((await own.desk.pack(history.at(-1)?.packHash ?? '')).name).toBe('ucloud-cdn-bandwidth')
    expect(history.at(-1)?.requestedMs).toBe(NOW_MS + 3)
  })
  test('switching to what is billed anyway writes nothing', async () => {
    const own = world()
    await begin(own)
    const first = await switchTo(own, 'generic-95')
    expect(await switchTo(own, 'generic-95')).toEqual({ ...first, isNew: false })
    own.clock.ms += 3 * DAY_MS
    expect((await switchTo(own, 'generic-95')).isNew).toBe(false)
    expect(await own.desk.history(own.account.id, 'cdn')).toHaveLength(2)
  })
  test('switches are in the audit log, with what was in force before', async () => {
    const own = world()
    await begin(own)
    const { mode } = await switchTo(own, 'generic-95', 'carol')
    const log = await own.catalog.rows.audit.list(
      { target: own.account.id },
      { limit: 9, cursor: null },
    )
    expect(log.items[0]).toMatchObject({
      actor: 'carol',
      action: 'charge-mode.switch',
      before: { actor: 'default', fromMs: at('2026-11-03T00:00') },
      after: { id: mode.id, fromMs: mode.fromMs, pack: 'generic-95 1' },
    })
  })
  test('accounts that switch at once, and the books that look, write one history each', async () => {
    const own = world()
    await begin(own)
    const start = {
      accountId: own.account.id,
      meter: 'cdn' as const,
      fromMs: at('2026-11-03T00:00'),
    }
    await Promise.all([
      ...['generic-95', 'ucloud-cdn-bandwidth', 'generic-95'].map((pack) => switchTo(own, pack)),
      own.desk.ensure([start]),
      own.desk.ensure([start]),
    ])
    const history = await own.desk.history(own.account.id, 'cdn')
    expect(history.filter(({ actor }) => actor === 'default')).toHaveLength(1)
    const asked = history.filter(({ actor }) => actor === 'ops')
    expect(new Set(asked.map(({ requestedMs }) => requestedMs)).size).toBe(asked.length)
  })
  test('before the book has begun, a switch bills it from its first day', async () => {
    const own = world()
    await switchTo(own, 'generic-95')
    const { mode } = await switchTo(own, 'ucloud-cdn-bandwidth')
    expect(mode.fromMs).toBe(at('2026-11-21T00:00'))
    await begin(own)
    await own.desk.ensure([
      { accountId: own.account.id, meter: 'cdn', fromMs: at('2026-11-03T00:00') },
    ])
    const history = await own.desk.history(own.account.id, 'cdn')
    const packs = await Promise.all(history.map(({ packHash }) => own.desk.pack(packHash)))
    // What is in force first reaches back to the start of the book; the other was taken back.
    expect(packs.map(({ name }) => name)).toEqual([
      'ucloud-cdn-bandwidth',
      'generic-95',
      'ucloud-cdn-bandwidth',
    ])
    expect(history[0]).toMatchObject({ fromMs: at('2026-11-03T00:00'), actor: 'default' })
  })
  test('a package alone begins a book, and only of its meter', async () => {
    const own = world()
    await own.writer.createTrafficPackage({
      account: own.account.id,
      area: 'cn',
      size: '1 TB',
      purchasedAt: at('2026-11-05T09:00'),
    })
    await switchTo(own, 'generic-95')
    const [first] = await own.desk.history(own.account.id, 'cdn')
    expect(first?.fromMs).toBe(at('2026-11-05T00:00'))
    const request = { account: own.account.id, meter: 'mna' as const, pack: 'generic-95' }
    const { mode } = await own.desk.switch({ ...request, groups: {}, actor: 'ops' })
    expect(mode.fromMs).toBe(at('2026-11-21T00:00'))
  })
  test('a resource of another meter begins another book', async () => {
    const own = world()
    await begin(own, 'eip')
    expect((await switchTo(own, 'generic-95')).mode.fromMs).toBe(at('2026-11-21T00:00'))
    expect(await own.desk.history(own.account.id, 'cdn')).toHaveLength(1)
  })
  test('days are those of the account: another zone has another midnight', async () => {
    const own = world()
    const account = await own.writer.createAccount({ name: 'ny', zone: 'America/New_York' })
    await own.writer.createResource({ meter: 'cdn', account: 'ny', name: 'ny.example' })
    own.clock.ms += HOUR_MS
    const request = { account: account.id, meter: 'cdn' as const, pack: 'generic-95' }
    const { mode } = await own.desk.switch({ ...request, groups: {}, actor: 'ops' })
    expect(mode.fromMs).toBe(Date.parse('2026-11-22T00:00:00-05:00'))
  })
}

function firstModeTests(world: () => World): void {
  test('a book without a mode gets the default once, whatever the configuration says later', async () => {
    const { desk, open, account, clock } = world()
    const fromMs = at('2026-11-03T00:00')
    const book = { accountId: account.id, meter: 'cdn' as const, fromMs }
    await desk.ensure([book])
    const history = await desk.history(account.id, 'cdn')
    expect(history).toMatchObject([{ fromMs, requestedMs: NOW_MS, actor: 'default', groups: {} }])
    const { defaults } = CHARGE_CONFIG
    const config = { ...CHARGE_CONFIG, defaults: { ...defaults, cdn: 'generic-95' } }
    clock.ms += DAY_MS
    const changed = open(SHIPPED, config).desk
    await changed.ensure([book, { ...book, fromMs: fromMs + DAY_MS }])
    expect(await changed.history(account.id, 'cdn')).toEqual(history)
  })
  test('a book that turns out to begin earlier is billed by its first mode from there', async () => {
    const { desk, account } = world()
    const book = { accountId: account.id, meter: 'cdn' as const }
    await desk.ensure([{ ...book, fromMs: at('2026-11-03T00:00') }])
    await desk.ensure([{ ...book, fromMs: at('2026-10-30T00:00') }])
    const history = await desk.history(account.id, 'cdn')
    expect(history.map(({ fromMs }) => fromMs)).toEqual([
      at('2026-10-30T00:00'),
      at('2026-11-03T00:00'),
    ])
    expect(new Set(history.map(({ packHash }) => packHash)).size).toBe(1)
  })
  test('many books are looked at together, each meter by its own default', async () => {
    const { desk, writer } = world()
    const accounts = await Promise.all(
      Array.from({ length: 60 }, (_, index) => writer.createAccount({ name: `many ${index}` })),
    )
    const fromMs = at('2026-11-03T00:00')
    const books = accounts.flatMap(({ id: accountId }) =>
      (['cdn', 'eip', 'mna'] as const).map((meter) => ({ accountId, meter, fromMs })),
    )
    await desk.ensure(books)
    await desk.ensure(books)
    for (const meter of ['cdn', 'eip', 'mna'] as const) {
      const histories = await desk.histories(meter)
      expect(histories.size).toBe(60)
      const modes = [...histories.values()].flat()
      expect(modes).toHaveLength(60)
      const pack = await desk.pack(modes[0]?.packHash ?? '')
      expect(pack.name).toBe(CHARGE_CONFIG.defaults[meter])
    }
  })
}

function refusalTests(world: () => World): void {
  const refused = (pack: string, groups: Record<string, string[]> = {}) => {
    const { desk, account } = world()
    return desk.switch({ account: account.id, meter: 'eip', pack, groups, actor: 'ops' })
  }
  test.each([
    ['a pack of another meter', 'ucloud-cdn', {}, 'The pack ucloud-cdn prices cdn, not eip.'],
    ['groups that nothing prices', 'generic-95', { a: ['eip-1'] }, 'leave them out'],
    ['a pack of groups without any', 'lines', {}, 'name the resources of each'],
    ['a resource that there is not', 'lines', { a: ['eip-1'] }, 'no eip resource eip-1'],
    ['an unknown pack', 'no', {}, 'No rule pack is called no'],
  ])('%s is refused, and nothing is written', async (_what, pack, groups, message) => {
    const { packs, desk, account } = world()
    await packs.add({ file: 'lines.yaml', text: GROUPED }, 'ops')
    await expect(refused(pack, groups)).rejects.toThrow(message)
    expect(await desk.history(account.id, 'eip')).toEqual([])
  })
  test('groups of the account’s own addresses are kept with the mode', async () => {
    const { packs, writer, account } = world()
    await packs.add({ file: 'lines.yaml', text: GROUPED }, 'ops')
    const eip = await writer.createResource({
      meter: 'eip',
      account: account.id,
      name: '192.0.2.1',
    })
    const { mode } = await refused('lines', { 'line-1': [eip.id] })
    expect(mode.groups).toEqual({ 'line-1': [eip.id] })
    // What is kept is who was meant: the name may be another's one day.
    expect(await refused('lines', { 'line-1': ['192.0.2.1'] })).toMatchObject({
      isNew: false,
      mode,
    })
    for (const again of [eip.id, '192.0.2.1']) {
      const twice = { a: ['192.0.2.1'], b: [again] }
      await expect(refused('lines', twice)).rejects.toThrow(`${again} is in the groups twice`)
    }
    expect(await world().desk.history(account.id, 'eip')).toContainEqual(mode)
    await writer.createAccount({ name: 'other' })
    const foreign = await writer.createResource({
      meter: 'eip',
      account: 'other',
      name: '192.0.2.2',
    })
    for (const ref of [foreign.id, '192.0.2.2']) {
      await expect(refused('lines', { a: [ref] })).rejects.toThrow(`no eip resource ${ref}`)
    }
  })
  test('a charge type means what the configuration says, and no other word is one', async () => {
    const { desk, account } = world()
    const request = { account: account.id, meter: 'cdn' as const, actor: 'ops' }
    const { pack } = await desk.switchType({ ...request, chargeType: 'bandwidth' })
    expect(pack.name).toBe('ucloud-cdn-bandwidth')
    for (const chargeType of ['', 'Traffic', 'constructor']) {
      await expect(desk.switchType({ ...request, chargeType })).rejects.toMatchObject({
        code: 'parameter_invalid',
        field: 'chargeType',
      })
    }
  })
  test.each([
    ['rules.cdn', 'no', 'No rule pack is called no'],
    ['rules.mna', 'ucloud-cdn', 'The pack ucloud-cdn prices cdn, not mna.'],
    ['chargeTypes.traffic', 'ucloud-eip', 'The pack ucloud-eip prices eip, not cdn.'],
  ])('a configuration with a wrong %s is refused by name', async (key, name, message) => {
    const [section = '', field = ''] = key.split('.')
    const { defaults, chargeTypes } = CHARGE_CONFIG
    const config =
      section === 'rules'
        ? { chargeTypes, defaults: { ...defaults, [field]: name } }
        : { defaults, chargeTypes: { ...chargeTypes, [field]: name } }
    const { desk } = world().open(SHIPPED, config)
    await expect(desk.checkConfig()).rejects.toMatchObject({
      code: 'config_invalid',
      message: expect.stringContaining(`billing.${key} is not usable: ${message}`),
    })
  })
}

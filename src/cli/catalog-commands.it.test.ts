import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import fastify, { type FastifyInstance } from 'fastify'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { testAlertDesk } from '../../test/support/alert-desk.ts'
import { openTestCharges } from '../../test/support/charges.ts'
import { testPackageDesk } from '../../test/support/packages.ts'
import { ADMIN_PREFIX, addAdminApi } from '../api/admin/admin-api.ts'
import { createCatalog } from '../catalog/catalog.ts'
import { saveAdminToken } from '../config/admin-token-file.ts'
import { systemClock } from '../core/clock.ts'
import { type ControlStore, openControlStore } from '../store/control/control-store.ts'
import { createMasterKeys } from '../store/control/master-key.ts'
import { accountCommand } from './account.ts'
import { adminTokenCommand } from './admin-token.ts'
import { applyCommand } from './apply.ts'
import { brandCommand } from './brand.ts'
import { keyCommand } from './key.ts'
import { modeCommand } from './mode.ts'
import { packageCommand } from './package.ts'
import { projectCommand } from './project.ts'
import { regionCommand } from './region.ts'
import { resourceCommand } from './resource.ts'
import { rulesCommand } from './rules.ts'
import { sourceCommand } from './source.ts'

const NOUNS = [
  accountCommand,
  adminTokenCommand,
  applyCommand,
  brandCommand,
  keyCommand,
  modeCommand,
  packageCommand,
  projectCommand,
  regionCommand,
  resourceCommand,
  rulesCommand,
  sourceCommand,
]

let folder: string
let store: ControlStore
let app: FastifyInstance
let environment: Record<string, string>

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-cli-'))
  const masterKeys = createMasterKeys([Buffer.alloc(32, 7).toString('base64')])
  const location = join(folder, 'control.db')
  store = await openControlStore(location, { clock: systemClock, masterKeys })
  const catalog = createCatalog(store.catalog, { clock: systemClock })
  await catalog.ensureDefaults()
  await catalog.ensureAdminToken((token) => saveAdminToken(folder, token))
  app = fastify()
  const adminOfToken = (text: string) => store.reader.adminOfToken(text)
  const charges = await openTestCharges(store, systemClock)
  const alerts = testAlertDesk(store, catalog, charges, systemClock)
  const packages = testPackageDesk(catalog, systemClock)
  const deps = { catalog, alerts, charges, packages, adminOfToken }
  await app.register((scope) => addAdminApi(scope, deps), { prefix: ADMIN_PREFIX })
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  environment = { WEIR_URL: `http://127.0.0.1:${port}`, WEIR_DATA__DIRECTORY: folder }
})
afterAll(async () => {
  await app.close()
  await store.close()
  await rm(folder, { recursive: true, force: true })
})

async function weir(line: string, options: { isTerminal?: boolean; environment?: object } = {}) {
  let text = ''
  const program = new Command('weir')
  for (const noun of NOUNS) {
    program.addCommand(
      noun({
        environment: { ...environment, ...options.environment },
        isTerminal: options.isTerminal ?? true,
        clock: systemClock,
        exitWith: () => undefined,
        write: (part) => {
          text += part
        },
      }),
    )
  }
  const args = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? match[2] ?? '')
  await program.parseAsync(args, { from: 'user' })
  return text
}

test('the token of the data directory opens the catalog of this machine', async () => {
  expect(await weir('brand list')).toContain('Weir')
})

test('on a terminal a list is a table, elsewhere it is JSON', async () => {
  await weir('account create 表格公司')
  await weir('account create tabular')
  const table = await weir('account list')
  expect(table.split('\n')[0]).toMatch(/^ID +NUMBER +NAME +EMAIL +ZONE/)
  const json = await weir('account list --name tabular', { isTerminal: false })
  expect(JSON.parse(json)).toMatchObject({ items: [{ name: 'tabular' }], nextCursor: null })
  expect(await weir('account list --name tabular --json')).toBe(json)
})

test('a customer is set up and changed by command', async () => {
  await weir('account create acme --email ops@acme.example')
  await weir('project create video --account acme')
  expect(await weir('project update acme/video --default')).toMatch(/isDefault +yes/)
  expect(await weir('key create --account acme')).toContain('Keep the secret')
  await weir('resource create WWW.acme.example --meter cdn --account acme --project Default')
  await weir('resource move www.ACME.example --project video')
  const shown = JSON.parse(await weir('resource show www.acme.example --json')) as object
  expect(shown).toMatchObject({ name: 'www.acme.example', versions: [{}] })
  await weir('resource create 192.0.2.1 --meter eip --account acme')
  expect(await weir('resource pay-mode 192.0.2.1 Bandwidth')).toMatch(/payMode +Bandwidth/)
  await weir('package create --account acme --area cn --size "10 TB" --id pkg-acme')
  expect(await weir('package end pkg-acme --end-at 2099-01-01T00:00:00Z')).toContain('2099-01-01')
  expect(await weir('package end pkg-acme --end-at never')).toMatch(/endAt +-/)
  const line =
    'package create --id pkg-terms --account acme --areas cn abroad --kinds any --size "1 TB"'
  const terms = '--windows 00:00-08:00 22:00-24:00 --first-use-months 6 --projects video'
  const made = JSON.parse(await weir(`${line} ${terms} --paid "99.90 CNY" --json`)) as object
  expect(made).toMatchObject({
    areas: ['abroad', 'cn'],
    kinds: null,
    windows: ['00:00-08:00', '22:00-24:00'],
    projectIds: [expect.stringMatching(/^org-/) as string],
    firstUseMonths: 6,
    paid: { amount: '99.90', currency: 'CNY' },
  })
  await weir('package create --id pkg-apac1 --account acme --area apac1 --size 1TB')
  await weir('package create --id pkg-far --account acme --areas latam me-africa --size 1TB')
  expect(await weir('package list --account acme --area apac1')).toMatch(/pkg-apac1 [^]*apac1/)
  expect(await weir('package list --account acme --area apac1')).not.toContain('pkg-far')
  await expect(
    weir('package create --account acme --areas abroad latam --size 1TB'),
  ).rejects.toMatchObject({
    message: expect.stringContaining('areas: names latam beside abroad') as string,
  })
  const file = join(folder, 'terms.yaml')
  await writeFile(
    file,
    `packages:
  - { type: traffic, id: pkg-terms, account: acme, areas: [cn, abroad], kinds: null,
      size: 1 TB, windows: ['00:00-08:00', '22:00-24:00'], projects: [video], resources: null,
      firstUseMonths: 6, paid: { amount: '99.9', currency: CNY }, offer: null }
  - { type: traffic, id: pkg-far, account: acme, areas: [me-africa, latam], size: 1TB }
`,
  )
  expect(await weir(`apply ${file}`)).toContain('0 changes, 2 unchanged')
  expect(await weir('package offers acme')).toMatch(/^NAME[^]*cn-100gib-year +107374182400/)
  const bought = JSON.parse(await weir('package buy acme --offer cn-100gib-year --json')) as {
    id: string
  }
  expect(await weir('package buy acme --size 10GiB --area abroad')).toMatch(
    /offer +abroad-10gib-year/,
  )
  expect(await weir(`package refund ${bought.id}`)).toMatch(/refundAmount +18.00/)
  await expect(weir(`package refund ${bought.id}`)).rejects.toMatchObject({ code: 'conflict' })
  await weir('package create-exclusive 192.0.2.1 --size 1GB --reset-policy Month --id utp-acme')
  expect(await weir('package show utp-acme')).toMatch(/sizeBytes +1000000000/)
  await weir('package delete-exclusive utp-acme')
  expect(await weir('resource delete 192.0.2.1')).toMatch(/deletedAt +20/)
  expect(await weir('source create pop-1 --meters cdn eip')).toContain('Keep the token')
  expect(await weir('source revoke pop-1')).toMatch(/active +no/)
  expect(await weir('region add cn-zj --name Zhejiang --zones cn-zj-01')).toContain('cn-zj-01')
})

test('a token made by command opens the catalog until it is revoked', async () => {
  const made = JSON.parse(await weir('admin-token create bob --json')) as Record<string, string>
  expect(await weir(`brand list --token ${made['token']}`)).toContain('Weir')
  expect(await weir(`admin-token revoke ${made['id']}`)).toMatch(/active +no/)
  const refused = weir(`brand list --token ${made['token']}`)
  await expect(refused).rejects.toMatchObject({ code: 'token_unknown' })
})

test('what the server refuses is said in its words', async () => {
  await expect(weir('account show nobody')).rejects.toMatchObject({
    code: 'not_found',
    message: 'account "nobody" does not exist.',
  })
  await expect(weir('resource show nowhere.example')).rejects.toMatchObject({ code: 'not_found' })
})

test('a wrong token, a missing token and a silent server each name their way out', async () => {
  await expect(weir('brand list --token x')).rejects.toMatchObject({ code: 'token_unknown' })
  const empty = join(folder, 'empty')
  await mkdir(empty)
  await expect(
    weir('brand list', { environment: { WEIR_DATA__DIRECTORY: empty } }),
  ).rejects.toMatchObject({
    code: 'token_unknown',
    message: expect.stringContaining('WEIR_ADMIN_TOKEN'),
  })
  await expect(weir('brand list --url http://127.0.0.1:9')).rejects.toMatchObject({
    code: 'overloaded',
    message: expect.stringContaining('weir serve'),
  })
})

test('a list leads on to its next page, --all reads every page', async () => {
  expect(await weir('region list --limit 2')).toMatch(/More with --cursor \S+/)
  const all = JSON.parse(await weir('region list --all --json')) as { items: object[] }
  expect(all.items.length).toBeGreaterThanOrEqual(33)
})

const CATALOG = `
accounts:
  - name: applied
    email: ops@applied.example
    projects: [{ name: main, default: true }, { name: video }]
  - { name: applied-sub, parent: applied }
resources:
  - { meter: cdn, name: a.applied.example, account: applied, project: video }
  - { meter: eip, name: 198.51.100.7, account: applied-sub }
packages:
  - { type: traffic, id: pkg-applied, account: applied, area: cn, size: 10 TB }
  - { type: exclusive, resource: 198.51.100.7, size: 1 GB, resetPolicy: Month }
sources: [{ name: applied-edge, meters: [cdn], account: applied }]
`

test('a catalog file is shown, applied once, and then changes nothing', async () => {
  const file = join(folder, 'catalog.yaml')
  await writeFile(file, CATALOG)
  const dry = await weir(`apply ${file} --dry-run`)
  expect(dry).toContain('8 changes, 0 unchanged')
  expect(await weir(`apply ${file} --dry-run`)).toBe(dry)
  expect(await weir(`apply ${file}`)).toMatch(/applied-edge has the ingest token weir_src_\S+/)
  expect(await weir(`apply ${file}`)).toBe('0 changes, 9 unchanged\n')

  await writeFile(file, CATALOG.replace('project: video', 'project: main'))
  expect(await weir(`apply ${file}`)).toContain(
    '> resource cdn a.applied.example: project video → main',
  )

  const fewer = CATALOG.replace(/ {2}- \{ meter: eip.*\n/, '').replace(/ {2}- \{ type: exc.*\n/, '')
  await writeFile(
    file,
    fewer.replace('project: video', 'project: main').replace(/^sources.*\n/m, ''),
  )
  expect(await weir(`apply ${file}`)).toBe('0 changes, 6 unchanged\n')
  expect(await weir(`apply ${file} --prune`)).toMatch(
    /^- exclusive-package of 198.51.100.7\n- resource eip 198.51.100.7\n2 changes/,
  )
})

test('the documented catalog file can be applied, and is then what the catalog holds', async () => {
  const page = await readFile(new URL('../../docs/reference/catalog-file.md', import.meta.url))
  const [, text = ''] = /```yaml\n([\s\S]*?)```/.exec(page.toString()) ?? []
  const file = join(folder, 'documented.yaml')
  await writeFile(file, text)
  await weir(`apply ${file}`)
  expect(await weir(`apply ${file}`)).toMatch(/^0 changes, \d+ unchanged\n$/)
})

test('a catalog file with a conflict changes nothing at all', async () => {
  const file = join(folder, 'conflict.yaml')
  await weir('account create conflicted')
  await writeFile(file, 'accounts: [{ name: conflicted, zone: UTC }, { name: never-made }]')
  await expect(weir(`apply ${file}`)).rejects.toMatchObject({ code: 'conflict' })
  await expect(weir('account show never-made')).rejects.toMatchObject({ code: 'not_found' })
})

test('every verb teaches with an example that its own command line accepts', () => {
  const context = {
    environment: {},
    isTerminal: true,
    clock: systemClock,
    exitWith: () => undefined,
    write: () => undefined,
  }
  for (const noun of NOUNS.map((make) => make(context))) {
    for (const verb of noun.commands.length === 0 ? [noun] : noun.commands) {
      let help = ''
      verb.configureOutput({ writeOut: (text) => (help += text) }).outputHelp()
      const example = /\$ weir (.+)/.exec(help)?.[1] ?? ''
      const words = [noun.name(), ...(noun === verb ? [] : [verb.name()])]
      expect(example.split(' ').slice(0, words.length)).toEqual(words)
      const args = [...example.matchAll(/"([^"]*)"|(\S+)/g)].map(
        (match) => match[1] ?? match[2] ?? '',
      )
      verb.exitOverride().configureOutput({ writeErr: () => undefined })
      const { operands, unknown } = verb.parseOptions(args.slice(words.length))
      expect({ example, unknown }).toEqual({ example, unknown: [] })
      expect(operands).toHaveLength(verb.registeredArguments.length)
    }
  }
})

test('a rule pack is added and an account billed by it from the next midnight on', async () => {
  const path = join(folder, 'my-lines.yaml')
  await writeFile(
    path,
    'name: my-lines\nversion: 1\ndescription: d\ncurrency: CNY\nrules:\n' +
      '  - { type: bandwidth, name: line, level: group, mode: monthly-95, price: "1" }\n',
  )
  const added = await weir(`rules add ${path}`)
  expect(added).toMatch(/^my-lines 1 can be billed by \(sha256 [0-9a-f]{64}\)\.\n$/)
  expect(await weir(`rules add ${path}`)).toBe(added)
  const list = await weir('rules list')
  expect(list).toMatch(/^my-lines +1 +added/m)
  expect(list).toMatch(/^ucloud-cdn +1 +shipped/m)
  expect(await weir('rules show my-lines --source')).toMatch(/^name: my-lines\nversion: 1\n/)
  await expect(weir('rules show my-line')).rejects.toThrow('No rule pack is called my-line; there')

  await weir('account create lines')
  const made = await weir('resource create 192.0.2.77 --meter eip --account lines --json')
  const { id } = JSON.parse(made) as { id: string }
  const set = await weir(`mode set lines --meter eip --rules my-lines --group line-1=${id}`)
  expect(set).toMatch(/^localFrom +\d{4}-\d\d-\d\d 00:00 Asia\/Shanghai$/m)
  const shown = await weir('mode show lines --meter eip')
  expect(shown.split('\n').map((line) => line.split(/ {2,}/).slice(2))).toMatchObject([
    ['RULES', 'VERSION', 'STATE', 'ACTOR'],
    ['ucloud-eip', '1', 'current', 'default'],
    ['my-lines', '1', 'coming', 'first'],
    [],
  ])
})

test('a server that was named and does not answer is not taken for none', async () => {
  const nowhere = { WEIR_URL: 'http://127.0.0.1:1' }
  await expect(weir('rules list', { environment: nowhere })).rejects.toThrow('No Weir server')
})

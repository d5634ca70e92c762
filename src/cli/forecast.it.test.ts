import fastify from 'fastify'
import { afterEach, describe, expect, test } from 'vitest'
import { CUSTOMER } from '../../test/support/bills.ts'
import {
  BY_DAY,
  day,
  forecastDeps,
  type ForecastWorld,
  packageNow,
  packageOf,
  packOf,
  usageAt,
  usageOf,
  ZONE,
} from '../../test/support/forecast-world.ts'
import { createForecastApi } from '../api/native/forecast.ts'
import { forecastBook } from '../billing/forecast-book.ts'
import { AppError, toAppError } from '../core/errors.ts'
import { HOUR_MS } from '../core/period.ts'
import { hashPack } from '../rating/hash-pack.ts'
import type { RulePack } from '../rating/rule-pack.ts'
import { balanceCommand } from './balance.ts'
import type { CliContext } from './context.ts'
import { forecastCommand } from './forecast.ts'
import { whatIfCommand } from './whatif.ts'

const GB = 1_000_000_000n
const NOW = day('2026-10-21')
/** 24 GB a day since the middle of September. */
const USAGE = usageOf({ startMs: day('2026-09-14'), endMs: NOW }, (startMs) => [
  usageAt(startMs, { bytes: 24n * GB }),
])
const OFFERED = `packages:
  offers:
    - { name: cn-500, size: 500GB, areas: [cn], months: 1, price: "400" }
`
const TODAY = packOf(BY_DAY, 'today', OFFERED)
const CHEAP = packOf(BY_DAY.replace('"2"', '"1.5"'), 'cheap')
const GROUPED = packOf(BY_DAY.replace('account', 'group'), 'grouped')

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

/** Serves a world, and runs a command against it. */
async function run(
  command: 'balance' | 'forecast' | 'whatif',
  args: readonly string[],
  { isTerminal = true, packs = [TODAY, CHEAP, GROUPED], ...world }: RunOptions = {},
): Promise<string> {
  const deps = forecastDeps({
    pack: TODAY,
    usage: USAGE,
    nowMs: NOW,
    closedUntilMs: day('2026-10-01'),
    ...world,
  })
  const known = packs.map((pack) => ({
    pack,
    hash: hashPack(pack),
    content: '',
    recordedMs: null,
    isShipped: true,
  }))
  const server = fastify()
  server.setErrorHandler((error, _request, reply) => {
    const { message, code } = toAppError(error)
    return reply.status(400).send({ error: { code, message } })
  })
  await server.register(
    createForecastApi({
      ...deps,
      clock: { nowMs: () => NOW },
      payer: async (ref) => {
        if (ref === 'nobody') throw new AppError('not_found', 'There is no account nobody.')
        return { id: CUSTOMER.id, zone: ZONE }
      },
      resource: async ({ accountId, meter }, ref) =>
        accountId === CUSTOMER.id && meter === 'cdn' && ['ucdn-1', 'a.example.com'].includes(ref)
          ? { id: 'ucdn-1' }
          : undefined,
      forecast: (key) => forecastBook(key, deps),
      packs: {
        list: async () => known,
        find: async (name) => {
          const found = known.find(({ pack }) => pack.name === name)
          if (found === undefined) throw new AppError('not_found', `No pack ${name}.`)
          return found
        },
      },
    }),
  )
  const url = await server.listen({ port: 0, host: '127.0.0.1' })
  closers.push(() => server.close())
  let told = ''
  const context: CliContext = {
    environment: {},
    isTerminal,
    write: (text) => {
      told += text
    },
    clock: { nowMs: () => NOW },
    exitWith: () => undefined,
  }
  const commands = { balance: balanceCommand, forecast: forecastCommand, whatif: whatIfCommand }
  const address = ['--url', url, '--token', 'token']
  await commands[command](context).parseAsync([...args, ...address], { from: 'user' })
  return told
}

type RunOptions = Partial<ForecastWorld> & {
  readonly isTerminal?: boolean
  readonly packs?: readonly RulePack[]
}

const PACKAGES = [packageNow(packageOf('pkg-1', 96n * GB))]

describe('weir balance', () => {
  test('shows what is left', async () => {
    const text = await run('balance', [CUSTOMER.id], { packages: PACKAGES })
    expect(text).toBe(
      `acc-example cdn, billed by today; 2026-10-21 00:00 (Asia/Shanghai), closed until 2026-10-01 00:00
PACKAGE  PAYS FOR   SIZE      LEFT      BEGINS            ENDS
pkg-1    static cn  89.4 GiB  89.4 GiB  1970-01-01 08:00  never
2026-10 to date: 0.00
`,
    )
  })

  test('an account that is not there is told', async () => {
    await expect(run('balance', ['nobody'])).rejects.toThrow('There is no account nobody.')
  })
})

describe('weir forecast', () => {
  test('shows what runs out when, and the end of the month', async () => {
    // The fake’s package is not drawn by October: the book’s fold draws 96 GB of it, so that the
    // month has 744 - 96 = 648 GB to pay at 2. From now on, 96 GB last four days.
    const text = await run('forecast', [CUSTOMER.id], { packages: PACKAGES })
    expect(text).toContain('2026-10 at its end: 1296.00 CNY, between 1296.00 and 1296.00\n')
    expect(text).toMatch(
      /pkg-1 +89.4 GiB +2026-10-25 00:00 +2026-10-25 00:00 +2026-10-25 00:00 +never +-\n/,
    )
    expect(text).toMatch(/all static cn +89.4 GiB +2026-10-25 01:00/)
  })

  test('says so when too little is known', async () => {
    const usage = USAGE.filter(({ startMs }) => startMs >= day('2026-10-12'))
    expect(await run('forecast', [CUSTOMER.id], { usage })).toContain(
      'A forecast needs 14 whole days since the first usage; there are 9.\n',
    )
  })

  test('is JSON where nobody reads it', async () => {
    const text = await run('forecast', [CUSTOMER.id], { packages: PACKAGES, isTerminal: false })
    expect(JSON.parse(text)).toMatchObject({
      account: CUSTOMER.id,
      historyDays: 37,
      forecast: {
        packages: [{ id: 'pkg-1', leftBytes: 96_000_000_000, runsOut: '2026-10-24T16:00:00.000Z' }],
        monthEnd: [{ currency: 'CNY', expected: '1296.00', low: '1296.00', high: '1296.00' }],
      },
    })
  })
})

describe('weir whatif', () => {
  test('compares every pack that prices the meter, cheapest first', async () => {
    // 31 days of 24 GB are 744 GB: 1488 at 2, 1116 at 1.5.
    expect(await run('whatif', [CUSTOMER.id])).toBe(
      `acc-example cdn, 2026-10 (Asia/Shanghai), foretold from 2026-10-21 00:00
PACK   VERSION  TOTAL    CURRENCY  CHEAPEST  IN FORCE
cheap  1        1116.00  CNY       yes       no
today  1        1488.00  CNY       no        yes
Left out: grouped 1. Its rule sent prices groups; name the resources of each.
`,
    )
  })

  test('a month that is over is what was measured of it', async () => {
    // 17 days of September: 408 GB.
    const text = await run('whatif', [CUSTOMER.id, '--month', '2026-09', '--packs', 'today'])
    expect(text).toContain('2026-09 (Asia/Shanghai), measured\n')
    expect(text).toContain('today  1        816.00')
  })

  test('tries what the packs offer', async () => {
    // 500 GB for 400 leave 244 GB at 2: 888. Two packages for 800 leave nothing.
    const text = await run('whatif', [CUSTOMER.id, '--packages', '--packs', 'today'], {
      isTerminal: false,
    })
    const { alternatives } = JSON.parse(text) as { alternatives: Record<string, unknown>[] }
    expect(alternatives.map(({ total }) => total)).toEqual(['800.00', '888.00', '1488.00'])
    expect(alternatives[1]).toMatchObject({
      usage: '488.00',
      packagesTotal: '400.00',
      totalProRata: '888.00',
      packages: [{ offer: 'cn-500', count: 1, usedBytes: 500_000_000_000 }],
    })
  })

  test('with too little history, compares what was measured so far', async () => {
    const usage = USAGE.filter(({ startMs }) => startMs >= day('2026-10-12'))
    // Nine days of 24 GB.
    const text = await run('whatif', [CUSTOMER.id, '--packs', 'today'], { usage })
    expect(text).toContain('measured until 2026-10-21 00:00: too little is known')
    expect(text).toContain('today  1        432.00')
  })

  test('a month to come, and a pack that is not there, are refused', async () => {
    await expect(run('whatif', [CUSTOMER.id, '--month', '2026-11'])).rejects.toThrow(
      'month must be past or current',
    )
    await expect(run('whatif', [CUSTOMER.id, '--packs', 'none'])).rejects.toThrow('No pack none.')
    await expect(run('whatif', [CUSTOMER.id, '--month', '2026-11-01'])).rejects.toThrow(
      'must be a month such as 2026-10',
    )
  })

  test('groups make packs fit that need them', async () => {
    // All of the usage is of ucdn-1.
    const args = [CUSTOMER.id, '--packs', 'grouped', '--group', 'all=ucdn-1']
    expect(await run('whatif', args)).toContain('grouped  1        1488.00')
    const named = [CUSTOMER.id, '--packs', 'grouped', '--group', 'all=a.example.com']
    expect(await run('whatif', named)).toContain('grouped  1        1488.00')
    const unknown = [CUSTOMER.id, '--packs', 'grouped', '--group', 'all=ucdn-1,ucdn-9']
    await expect(run('whatif', unknown)).rejects.toThrow('no cdn resource ucdn-9')
  })
})

test('half a day later, the rest of today is half a day', async () => {
  const nowMs = NOW + 12 * HOUR_MS
  const text = await run('forecast', [CUSTOMER.id], { nowMs, packages: PACKAGES })
  // Nothing moved this morning and 12 GB are expected: 30.5 days of 24 GB, less the package's 96.
  expect(text).toContain('2026-10 at its end: 1272.00 CNY')
})

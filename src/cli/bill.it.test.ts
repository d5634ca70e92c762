import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  ADJUSTED_BILL,
  BANDWIDTH_BILL,
  bandwidthLine,
  CDN_BILL,
  EIP_BILL,
  EMPTY_BILL,
  fakeBillDesk,
  MIXED_BILL,
  trafficLine,
} from '../../test/support/bills.ts'
import { billsServer, NOW_MS, TOKEN } from '../../test/support/bills-server.ts'
import type { BillExplanation } from '../billing/explanation.ts'
import { billCommand } from './bill.ts'
import type { CliContext } from './context.ts'
import { usageCommand } from './usage.ts'

const directory = mkdtempSync(join(tmpdir(), 'weir-bill-test-'))
const desk = fakeBillDesk()

const slot = (rank: number, bps: string, more = {}) => ({
  rank,
  time: '2026-10-17T12:35:00.000Z',
  local: '2026-10-17T20:35+08:00',
  bps,
  isReported: true,
  isDropped: false,
  isSample: false,
  ...more,
})

const EXPLAINED: Record<number, BillExplanation> = {
  1: {
    bill: CDN_BILL.bill.id,
    number: 1,
    zone: 'Asia/Shanghai',
    explanation: {
      type: 'traffic',
      line: trafficLine(1, 1000n),
      days: [
        {
          start: '2026-09-30T16:00:00.000Z',
          end: '2026-10-01T16:00:00.000Z',
          throughBatch: 17,
          measuredBytes: '1500',
          takenBytes: '500',
          pricedBytes: '1000',
          resources: [
            { resource: 'ucdn-a', project: 'org-1', measuredBytes: '1500', pricedBytes: '1000' },
          ],
          packages: [{ packageId: 'pkg-1', bytes: '500' }],
          slots: [
            {
              time: '2026-10-01T00:20:00.000Z',
              local: '2026-10-01T08:20+08:00',
              resource: 'ucdn-a',
              bytes: '1500',
            },
          ],
        },
      ],
      tiers: [],
      steps: ['1000 bytes were left'],
      agrees: true,
    },
  },
  2: {
    bill: CDN_BILL.bill.id,
    number: 2,
    zone: 'Asia/Shanghai',
    explanation: {
      type: 'bandwidth',
      line: bandwidthLine(),
      throughBatch: 9,
      members: ['acc-example'],
      ranking: [
        slot(446, '512350000', { isDropped: true }),
        slot(447, '512340000', { isSample: true }),
        slot(448, '0', { isReported: false }),
      ],
      days: [],
      notBilled: { direction: 'in', bps: '1000' },
      steps: ['8928 slots count'],
      agrees: false,
    },
  },
}

const { app, exported } = billsServer(desk, EXPLAINED)
let url: string

beforeAll(async () => {
  url = await app.listen({ port: 0, host: '127.0.0.1' })
})
afterAll(async () => {
  await app.close()
  rmSync(directory, { recursive: true })
})

async function run(args: readonly string[], isTerminal = true, nowMs = NOW_MS) {
  const told = { text: '', code: 0 }
  const context: CliContext = {
    environment: { WEIR_URL: url, WEIR_ADMIN_TOKEN: TOKEN, WEIR_DATA__DIRECTORY: directory },
    isTerminal,
    write: (part) => {
      told.text += part
    },
    clock: { nowMs: () => nowMs },
    exitWith: (code) => {
      told.code = code
    },
  }
  const [noun, ...rest] = args
  const command = noun === 'usage' ? usageCommand(context) : billCommand(context)
  await command.parseAsync(rest, { from: 'user' })
  return told
}

describe('weir bill list', () => {
  test('is a table on a terminal and JSON elsewhere', async () => {
    const { text } = await run(['bill', 'list', '--limit', '2'])
    expect(text).toMatch(/^ID +ACCOUNT +METER +MONTH +LINES +TOTAL +CLOSED\n/)
    expect(text).toContain('acc-example.cdn.2026-10')
    expect(text).toContain('3,117.740903282 CNY')
    expect(text).toContain('More with --cursor 2')
    const json = JSON.parse((await run(['bill', 'list', '--all', '--limit', '1'], false)).text) as {
      items: unknown[]
      nextCursor: null
    }
    expect(json.items).toHaveLength(6)
    expect(json.nextCursor).toBeNull()
  })
})

describe('weir bill show', () => {
  test('numbers the lines from 1 and shows packages, totals, coverage and gap policy', async () => {
    const { text } = await run(['bill', 'show', CDN_BILL.bill.id])
    expect(text).toContain('北京示例网络有限公司 (acc-example, number 50001)')
    expect(text).toContain('2026-10-01 00:00 to 2026-11-01 00:00 Asia/Shanghai')
    expect(text).toContain(CDN_BILL.hash)
    expect(text).toMatch(/^1 +traffic +static-cn +acc-example +2026-10-01 .* 66\.00 CNY$/m)
    expect(text).toMatch(/^62 +traffic/m)
    expect(text).toMatch(/^pkg-2026b +1,234,567,890,123$/m)
    expect(text).toMatch(/^total +3,117\.740903282 CNY$/m)
    expect(text).toContain('8920 of 8928 expected slots received')
    expect(text).toContain('edge-logs  2026-10-03 01:00 to 2026-10-03 01:40')
  })

  test('shows bandwidth, late usage, packages, two currencies and nothing', async () => {
    const bandwidth = (await run(['bill', 'show', BANDWIDTH_BILL.bill.id])).text
    expect(bandwidth).toContain('512,340,000 bit/s, 446 of 8928 dropped')
    expect(bandwidth).toMatch(/^a gap counts as +monthly-95: zero$/m)
    const late = (await run(['bill', 'show', ADJUSTED_BILL.bill.id])).text
    expect(late).toMatch(/^2 +late \(month\) .*8640\.00 → 9000\.00/m)
    const mixed = (await run(['bill', 'show', MIXED_BILL.bill.id])).text
    expect(mixed).toMatch(/^4 +refund +package +pkg-unused .*-150\.00 CNY$/m)
    expect(mixed).toMatch(/^total +1,041\.00 CNY \+ 1\.65 USD$/m)
    const empty = (await run(['bill', 'show', EMPTY_BILL.bill.id])).text
    expect(empty).toContain('none\n')
    expect(empty).toMatch(/^total +nothing is owed$/m)
    expect(empty).toMatch(/^coverage +no source was expected to report$/m)
  })

  test('shows refilling packages with each period that was used', async () => {
    const { text } = await run(['bill', 'show', EIP_BILL.bill.id])
    const used = /^utp-4f9k2mq8 +eip-4f9k2mq8 +Month +10,000,000,000 +(.+)$/m.exec(text)?.[1]
    expect(used?.split(/ {2,}/)).toEqual([
      '2026-09-17 – 2026-10-16',
      '7,000,000,001',
      '10,000,000,000',
      '23,456,789,012',
    ])
    expect(text).toMatch(/^utp-b7x01ztt +eip-b7x01ztt +Day +2,000,000,000 +not used +- +- +-$/m)
    expect((await run(['bill', 'show', CDN_BILL.bill.id])).text).not.toContain('Refilling')
    const json = (await run(['bill', 'show', EIP_BILL.bill.id, '--json'])).text
    expect(JSON.parse(json)).toMatchObject({ bill: { exclusive: EIP_BILL.bill.exclusive } })
  })

  test('of a bill that is not there says so', async () => {
    await expect(run(['bill', 'show', 'nothing'])).rejects.toThrow('There is no bill nothing')
  })
})

describe('weir bill verify', () => {
  test('tells how much was compared, and fails with findings', async () => {
    const sound = await run(['bill', 'verify', CDN_BILL.bill.id])
    expect(sound).toEqual({ text: `✓ ${CDN_BILL.bill.id}: 34 comparisons, all equal.\n`, code: 0 })
    desk.found.push({ check: 'day 2026-10-03: lines', expected: 'a', actual: 'b' })
    const broken = await run(['bill', 'verify', CDN_BILL.bill.id])
    desk.found.pop()
    expect(broken.code).toBe(1)
    expect(broken.text).toContain('✗ day 2026-10-03: lines: expected a, found b')
  })
})

describe('weir bill explain', () => {
  test('shows slots, resources, packages and the arithmetic of traffic', async () => {
    const { text, code } = await run(['bill', 'explain', CDN_BILL.bill.id, '--line', '1'])
    expect(code).toBe(0)
    expect(text).toMatch(/^2026-10-01 08:20 +ucdn-a +1,500$/m)
    expect(text).toMatch(/^2026-10-01 +ucdn-a +org-1 +1,500 +1,000$/m)
    expect(text).toMatch(/^2026-10-01 +pkg-1 +500$/m)
    expect(text).toMatch(/^2026-10-01 +1,500 +500 +1,000 +17$/m)
    expect(text).toContain('  1000 bytes were left\n')
    expect(text).toContain('✓ Computed again')
  })

  test('shows the ranked slots of bandwidth, and fails where they do not give the line', async () => {
    const { text, code } = await run(['bill', 'explain', CDN_BILL.bill.id, '--line', '2'])
    expect(code).toBe(1)
    expect(text).toMatch(/^446 +2026-10-17 20:35 +512,350,000 +dropped$/m)
    expect(text).toMatch(/^447 +2026-10-17 20:35 +512,340,000 +← the sample$/m)
    expect(text).toMatch(/^448 .* 0 +not reported$/m)
    expect(text).toContain('Not billed: in came to 1,000 bit/s.')
    expect(text).toContain('✗ Computed again')
  })
})

describe('files', () => {
  test('are written whole, or to the standard output', async () => {
    const path = join(directory, 'bill.pdf')
    const args = ['bill', 'export', EMPTY_BILL.bill.id, '--format', 'pdf', '-o', path]
    const { text } = await run(args)
    const bytes = readFileSync(path)
    expect(bytes.subarray(0, 5).toString()).toBe('%PDF-')
    expect(text).toBe(`${path}: ${bytes.length} bytes\n`)
    const csv = await run(['bill', 'export', MIXED_BILL.bill.id, '--format', 'focus-csv'])
    expect(csv.text).toMatch(/^BillingAccountId,/)
    await expect(run(['bill', 'export', EMPTY_BILL.bill.id, '--format', 'pdf'])).rejects.toThrow(
      'with -o',
    )
    const missing = join(directory, 'missing.csv')
    await expect(run(['bill', 'export', 'nothing', '-o', missing])).rejects.toThrow('no bill')
    expect(existsSync(missing)).toBe(false)
  })

  test('of usage say what is in them', async () => {
    const path = join(directory, 'usage.parquet')
    const span = ['--start', '2026-10-01T00:00:00+08:00', '--end', '2026-11-01T00:00:00+08:00']
    const what = ['usage', 'export', '--meter', 'cdn', '--account', 'acc-example', ...span]
    await expect(run([...what, '-o', path])).rejects.toThrow('No day of acc-example is closed')
    const { text } = await run([...what, '--open', '-o', path])
    expect(readFileSync(path, 'utf8')).toBe('PAR1PAR1')
    expect(text).toBe(
      `${path}: 8 bytes, all that is loaded, 2026-09-30T16:00:00.000Z to 2026-10-31T16:00:00.000Z\n`,
    )
    expect(exported).toHaveLength(1)
  })

  test('of usage take ages, which are whole minutes', async () => {
    const path = join(directory, 'ages.parquet')
    const what = ['usage', 'export', '--meter', 'cdn', '--account', 'acc-example', '--open']
    const { text } = await run(
      [...what, '--start', '2d', '--end', '1d', '-o', path],
      true,
      NOW_MS + 1,
    )
    expect(text).toMatch(/ to \S+:00\.000Z$/m)
  })

  test('that cannot be written are named, with the reason', async () => {
    const path = join(directory, 'not-there', 'bill.pdf')
    const args = ['bill', 'export', EMPTY_BILL.bill.id, '--format', 'pdf', '-o', path]
    await expect(run(args)).rejects.toThrow(`${path} cannot be written (ENOENT).`)
  })
})

test('weir bill close says what was closed', async () => {
  const args = ['bill', 'close', '--account', 'acc-example', '--meter', 'cdn', '--until', '1d']
  const { text } = await run(args)
  expect(text).toBe('31 days closed, 1 adjustments, 1 bills\n  acc-example.cdn.2026-10\n')
  expect(desk.closed.at(-1)).toEqual({
    accountId: 'acc-example',
    meter: 'cdn',
    untilMs: NOW_MS - 86_400_000,
  })
})

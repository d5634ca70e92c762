import { isDeepStrictEqual } from 'node:util'
import type { BooksUsage, RankedUsage } from '../../src/billing/books-usage.ts'
import { NANO } from '../../src/core/money.ts'
import { type BandwidthLine, rateBandwidth } from '../../src/rating/bandwidth-line.ts'
import { planRanks, rateRanked } from '../../src/rating/bandwidth-ranked.ts'
import type { BandwidthRule } from '../../src/rating/rules.ts'
import { median, type Figure } from '../support/figure.ts'
import { startStopwatch } from '../support/stopwatch.ts'
import { openWeir } from '../support/weir.ts'
import { accountsOf, describeMonth, fillMonth, MONTH, ZONE } from './world.ts'

const DOMAINS = 10_000
const SECONDS_MAX = 5
const ROUNDS = 3

/** Accounts whose domains are ranked once more in JavaScript. */
const COMPARED = 2

const RULE: BandwidthRule = {
  type: 'bandwidth',
  name: '95',
  level: 'resource',
  scope: {},
  mode: 'monthly-95',
  slot: 'mean',
  direction: 'out',
  validDay: 'all',
  missingSlot: 'zero',
  rank: { percent: 5, rounding: 'floor' },
  radix: 1000,
  commitBps: 0n,
  price: 10n * NANO,
  overagePrice: null,
  proRata: 'none',
  partialMonth: 'share',
}

type Usage = BooksUsage & RankedUsage
type Lines = ReadonlyMap<string, readonly BandwidthLine[]>

/** Ranks and prices a month of many domains, and some of them once more in JavaScript. */
export async function monthly95(
  directory: string,
  say: (text: string) => void,
): Promise<readonly Figure[]> {
  const core = await openWeir(directory)
  try {
    say(`filling a month of ${DOMAINS} domains`)
    await fillMonth(core.engine, DOMAINS, say)
    const rollup = await describeMonth(core.engine)
    say(`${rollup.rows} rows, ${rollup.bytes} bytes in ${rollup.parts} parts`)
    const accounts = accountsOf(DOMAINS)
    const all = await measure(ROUNDS, () => rateMonth(core.booksUsage, accounts))
    if (all.lines.size !== DOMAINS) throw new Error(`${all.lines.size} of ${DOMAINS} have a line`)
    const one = await measure(ROUNDS, () => rateMonth(core.booksUsage, accounts.slice(-1)))
    const slow = await compare(core.booksUsage, accounts.slice(0, COMPARED), all.lines)
    return figuresOf({ rollup, all, one, slow })
  } finally {
    await core.stop()
  }
}

interface Measured {
  readonly lines: Lines
  /** The middle round. */
  readonly seconds: number
  readonly cpuSeconds: number
  readonly firstSeconds: number
}

async function measure(rounds: number, work: () => Promise<Lines>): Promise<Measured> {
  const seconds: number[] = []
  const cpuSeconds: number[] = []
  let lines: Lines = new Map()
  for (let round = 0; round < rounds; round += 1) {
    const watch = startStopwatch()
    lines = await work()
    const elapsed = watch.read()
    seconds.push(elapsed.seconds)
    cpuSeconds.push(elapsed.cpuSeconds)
  }
  const firstSeconds = seconds[0] ?? Number.NaN
  return { lines, seconds: median(seconds), cpuSeconds: median(cpuSeconds), firstSeconds }
}

/** Ranks and prices all domains of the accounts. */
async function rateMonth(usage: Usage, accountIds: readonly string[]): Promise<Lines> {
  const plan = planRanks(RULE, MONTH, ZONE)
  if (plan === null) throw new Error('the rule is ranked slot by slot')
  const { dropped } = plan
  const scope = { meter: 'cdn', accountIds, throughBatch: null, member: 'resource' } as const
  const found = await usage.rankedSlots({ ...scope, ...MONTH, direction: 'out', dropped })
  const members = [...found.values()].flat()
  return new Map(
    members.map((slot) => [
      slot.memberId,
      [rateRanked(RULE, plan, new Map([['out' as const, slot]]))],
    ]),
  )
}

/** Rates domains from all their slots; the lines must be the same but for the days. */
async function compare(
  usage: Usage,
  accountIds: readonly string[],
  lines: Lines,
): Promise<{ readonly domains: number; readonly seconds: number }> {
  const scope = { meter: 'cdn', accountIds, throughBatch: null, member: 'resource' } as const
  const watch = startStopwatch()
  const found = await usage.slots({ ...scope, ...MONTH, samples: false })
  const members = [...found.values()].flat()
  for (const member of members) {
    const expected = rateBandwidth(RULE, { members: [member], period: MONTH, zone: ZONE })
    const withoutDays = expected.map((line) => ({ ...line, perDay: [] }))
    if (!isDeepStrictEqual(lines.get(member.memberId), withoutDays)) {
      throw new Error(`${member.memberId} has another line when all its slots are ranked`)
    }
  }
  if (members.length === 0) throw new Error('nothing was compared')
  return { domains: members.length, seconds: watch.read().seconds }
}

function figuresOf({
  rollup,
  all,
  one,
  slow,
}: {
  readonly rollup: Awaited<ReturnType<typeof describeMonth>>
  readonly all: Measured
  readonly one: Measured
  readonly slow: Awaited<ReturnType<typeof compare>>
}): Figure[] {
  return [
    {
      name: 'rollup of domains',
      value: rollup.rows,
      unit: 'rows',
      note: `${Math.round(rollup.bytes / 1e6)} MB in ${rollup.parts} parts`,
    },
    {
      name: `monthly 95th of ${DOMAINS.toLocaleString('en-US')} domains`,
      value: all.seconds,
      unit: 's',
      goal: { atMost: SECONDS_MAX },
      note: `${all.cpuSeconds.toFixed(1)} s of processor; first round ${all.firstSeconds.toFixed(1)} s`,
    },
    {
      name: `the same of one account, ${one.lines.size} domains`,
      value: one.seconds,
      unit: 's',
    },
    {
      name: `from all slots, ${slow.domains} domains`,
      value: slow.seconds,
      unit: 's',
      note: 'the same lines',
    },
  ]
}

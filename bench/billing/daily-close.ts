import { openWeir } from '../support/weir.ts'
import { quantile, type Figure } from '../support/figure.ts'
import { startStopwatch } from '../support/stopwatch.ts'
import { accountId, fillAccounts } from './many-accounts.ts'

const ACCOUNTS = 10_000
/** Shanghai's 19 November. */
const DAY = { startMs: Date.UTC(2026, 10, 18, 16), endMs: Date.UTC(2026, 10, 19, 16) }
/** A row for each minute. */
const FILLING = {
  accounts: ACCOUNTS,
  domainsPerAccount: 1,
  startMs: DAY.startMs,
  loads: 24,
  rowsPerLoad: 60,
  rowSeconds: 60,
}
const CLOSE_SECONDS_MAX = 30
const READS = 1000
const READ_P99_MS_MAX = 20

/** Closes a day of many accounts, then reads the balances of some. */
export async function dailyClose(
  directory: string,
  say: (text: string) => void,
): Promise<Figure[]> {
  const core = await openWeir(directory)
  try {
    say(`a day of ${ACCOUNTS} accounts`)
    const { rows } = await fillAccounts(core, FILLING)
    const watch = startStopwatch()
    const report = await core.bookkeeping.desk.close({ meter: 'cdn', untilMs: DAY.endMs })
    const closed = watch.read()
    if (report.days !== ACCOUNTS || report.rebuilt.length > 0) {
      throw new Error(`closed ${report.days} days, rebuilt ${report.rebuilt.join(', ')}`)
    }
    const audit = await core.audit()
    const wrong = audit.findings.filter(({ check }) => !check.startsWith('source '))
    if (wrong.length > 0) throw new Error(`the audit found ${JSON.stringify(wrong[0], toText)}`)
    const reads: number[] = []
    for (let read = 0; read < READS; read += 1) {
      // Spread over all accounts, so that none is read twice.
      const account = accountId((read * 7919) % ACCOUNTS)
      const one = startStopwatch()
      await core.bookkeeping.live.balance({ accountId: account, meter: 'cdn' })
      reads.push(one.read().seconds * 1000)
    }
    return [
      {
        name: `daily close, ${ACCOUNTS.toLocaleString('en-US')} accounts`,
        value: closed.seconds,
        unit: 's',
        goal: { atMost: CLOSE_SECONDS_MAX },
        note: `${rows.toLocaleString('en-US')} rows of usage; ${closed.cpuSeconds.toFixed(1)} s of processor`,
      },
      { name: 'balance read, p50', value: quantile(reads, 0.5), unit: 'ms' },
      {
        name: 'balance read, p99',
        value: quantile(reads, 0.99),
        unit: 'ms',
        goal: { atMost: READ_P99_MS_MAX },
        note: `${READS} accounts, one after the other, a day and some open`,
      },
    ]
  } finally {
    await core.stop()
  }
}

function toText(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value
}

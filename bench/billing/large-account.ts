import type { Core } from '../../src/compose.ts'
import { composeServer } from '../../src/compose-server.ts'
import { DAY_MS } from '../../src/core/period.ts'
import { METERS } from '../../src/meters/meter.ts'
import { renderRebuild } from '../../src/store/usage/roll.ts'
import { median, type Figure } from '../support/figure.ts'
import { startStopwatch } from '../support/stopwatch.ts'
import { configIn, createTelemetry, NOW_MS, openWeir } from '../support/weir.ts'
import { accountId, fillAccounts } from './many-accounts.ts'

const DOMAINS = 2000
const DAYS = 30
const ROUNDS = 3
const SECONDS_MAX = 2
/** Midnight in Shanghai, so that the last of the days ends four hours after now. */
const START_MS = Date.UTC(2026, 9, 21, 16)
const FILLING = {
  accounts: 1,
  domainsPerAccount: DOMAINS,
  startMs: START_MS,
  loads: DAYS,
  rowsPerLoad: 288,
  rowSeconds: 300,
}

/** Asks what reads all usage of one account that has many domains, over HTTP but for the wire. */
export async function largeAccount(
  directory: string,
  say: (text: string) => void,
): Promise<Figure[]> {
  const core = await openWeir(directory)
  const { app } = composeServer(configIn(directory), core, createTelemetry())
  try {
    say(`${DAYS} days of ${DOMAINS} domains`)
    const { rows } = await fillAccounts(core, FILLING)
    await core.catalog.as('bench').createSource({ name: 'bench', meters: ['cdn'] })
    const made = await core.catalog.ensureAdminToken()
    const headers = { authorization: `Bearer ${made?.token}` }
    const account = accountId(0)
    const closing = startStopwatch()
    const { days } = await core.bookkeeping.desk.close({ meter: 'cdn', untilMs: NOW_MS })
    say(`${days} days closed in ${closing.read().seconds.toFixed(1)} s`)
    if (START_MS + days * DAY_MS > NOW_MS) throw new Error(`closed ${days} days`)
    const ask = async (name: string, url: string, body?: object): Promise<Figure> => {
      const seconds: number[] = []
      for (let round = 0; round < ROUNDS; round += 1) {
        // Each as after a load, which ends what is remembered.
        core.bookkeeping.live.forget()
        const watch = startStopwatch()
        const answer = await app.inject({
          method: body === undefined ? 'GET' : 'POST',
          url,
          headers,
          ...(body !== undefined && { payload: body }),
        })
        seconds.push(watch.read().seconds)
        if (answer.statusCode !== 200) throw new Error(`${name}: ${answer.body}`)
      }
      say(`${name}: ${seconds.map((each) => each.toFixed(2)).join(', ')} s`)
      return { name, value: median(seconds), unit: 's', goal: { atMost: SECONDS_MAX } }
    }
    const query = `account=${account}&meter=cdn`
    const body = { account, meter: 'cdn' }
    const figures = [
      await ask('balance', `/v1/balance?${query}`),
      await ask('forecast', `/v1/forecast?${query}`),
      await ask('what-if, all packs', '/v1/whatif', body),
      await ask('what-if, with packages', '/v1/whatif', { ...body, packages: true }),
      await ask('coverage of a month', `/v1/coverage?account=${account}&day=2026-11`),
    ]
    await loadLate(core)
    figures.push(await ask('balance while late usage waits', `/v1/balance?${query}`))
    const [first, ...others] = figures
    const note = `${rows.toLocaleString('en-US')} rows: ${DOMAINS} domains, ${DAYS} days`
    return first === undefined ? [] : [{ ...first, note }, ...others]
  } finally {
    await app.close()
    await core.stop()
  }
}

/** Loads a domain's usage of a closed day once more, as a batch of its own. */
async function loadLate({ engine }: Core): Promise<void> {
  const batch = DAYS + 1
  await engine.command(`INSERT INTO usage_cdn
SELECT t.* REPLACE (${batch} AS batch) FROM usage_cdn AS t
WHERE t.resource = 'ucdn-00001' AND t.batch = ${DAYS >> 1}`)
  for (const rollup of METERS.cdn.rollups) {
    await engine.command(renderRebuild(METERS.cdn, rollup, `u.batch = ${batch}`))
  }
}

import type { CoverageDeps } from '../../billing/coverage-facts.ts'
import type { EpochMs } from '../../core/clock.ts'
import { FIVE_MINUTES_MS } from '../../core/period.ts'
import type { Parameters } from './bind.ts'
import type { Engine } from './engine.ts'

/** Answers which sources reported when, and for whom, from the usage itself: rollups forget it. */
export function createSourceSlots(engine: Engine): CoverageDeps['slots'] {
  return {
    async slots({ meter, sinceMs, interval, throughBatch }) {
      // Slots that follow each other are one pair: a source that never paused is one row of one.
      const rows = await engine.rows<SlotsRow>(
        `SELECT s.source AS source, s.first AS first,
  arrayMap(run -> (run[1], run[-1]),
    arraySplit((slot, step) -> step != ${FIVE_MINUTES_MS / 1000}, s.slots,
      arrayDifference(s.slots))) AS runs
FROM (SELECT toString(t.source) AS source, toUnixTimestamp(min(t.minute)) AS first,
  arraySort(groupUniqArrayIf(toUnixTimestamp(toStartOfFiveMinutes(t.minute)),
    t.minute >= {start:DateTime})) AS slots
  FROM usage_${meter} AS t WHERE ${whereOf(throughBatch)} GROUP BY source) AS s
ORDER BY source`,
        {
          ...boundsOf(sinceMs, interval.endMs, throughBatch),
          start: Math.floor(interval.startMs / 1000),
        },
      )
      return rows.map(({ source, first, runs }) => ({
        source,
        firstMs: first * 1000,
        slots: runs.map(([firstSlot, lastSlot]) => ({
          startMs: firstSlot * 1000,
          endMs: lastSlot * 1000 + FIVE_MINUTES_MS,
        })),
      }))
    },
    async sourceSets({ meter, interval, throughBatch }) {
      // Accounts of one set come together: thousands of accounts have few sets among them.
      const rows = await engine.rows<SetRow>(
        `SELECT s.sources AS sources, arraySort(groupArray(s.account)) AS accounts
FROM (SELECT toString(t.account) AS account, arraySort(groupUniqArray(toString(t.source))) AS sources
  FROM usage_${meter} AS t WHERE ${whereOf(throughBatch)} GROUP BY account) AS s
GROUP BY sources ORDER BY sources`,
        boundsOf(interval.startMs, interval.endMs, throughBatch),
      )
      return rows.map(({ sources, accounts }) => ({ sources, accountIds: accounts }))
    },
    async isAnyAfter({ meter, interval, throughBatch, afterBatch }) {
      // The parts' ranges of batches leave little to look at.
      const rows = await engine.rows<object>(
        `SELECT 1 AS found FROM usage_${meter} AS t
WHERE ${whereOf(throughBatch)} AND t.batch > {after:UInt64} LIMIT 1`,
        { ...boundsOf(interval.startMs, interval.endMs, throughBatch), after: afterBatch },
      )
      return rows.length > 0
    },
  }
}

interface SlotsRow {
  readonly source: string
  readonly first: number
  readonly runs: readonly (readonly [number, number])[]
}

interface SetRow {
  readonly sources: readonly string[]
  readonly accounts: readonly string[]
}

function whereOf(throughBatch: number | null): string {
  const time = 't.minute >= {since:DateTime} AND t.minute < {end:DateTime}'
  return throughBatch === null ? time : `${time} AND t.batch <= {batch:UInt64}`
}

function boundsOf(sinceMs: EpochMs, endMs: EpochMs, throughBatch: number | null): Parameters {
  return {
    since: Math.floor(sinceMs / 1000),
    end: Math.ceil(endMs / 1000),
    ...(throughBatch !== null && { batch: throughBatch }),
  }
}

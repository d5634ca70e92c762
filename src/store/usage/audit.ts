import { METERS, METER_NAMES, type Meter } from '../../meters/meter.ts'
import type { SourceTotals } from '../../ingest/registry.ts'
import type { Engine } from './engine.ts'

/** One thing that was compared, and by how much it is off. */
export interface AuditFinding {
  readonly check: string
  readonly expected: bigint
  readonly actual: bigint
}

/** What an audit looked at and what it found wrong. */
export interface AuditReport {
  /** Comparisons made. */
  readonly checks: number
  readonly findings: readonly AuditFinding[]
}

/**
 * Compares live data with itself: every rollup with the usage it was made of, per day and
 * quantity, and what sources sent with what became of it.
 *
 * Run it while nothing is being loaded, or a batch in between its tables shows as a difference.
 */
export async function auditUsage(
  engine: Engine,
  totals: readonly SourceTotals[],
): Promise<AuditReport> {
  const results = [
    ...(await Promise.all(METER_NAMES.map((name) => auditRollups(engine, METERS[name])))).flat(),
    ...(await Promise.all(totals.map((total) => auditSource(engine, total)))).flat(),
  ]
  return {
    checks: results.length,
    findings: results.filter(({ expected, actual }) => expected !== actual),
  }
}

async function sumsByDay(
  engine: Engine,
  meter: Meter,
  table: string,
  time: string,
): Promise<Map<string, Record<string, bigint>>> {
  const sums = meter.quantities.map(({ name }) => `sum(t.${name}) AS ${name}`)
  const rows = await engine.rows<Record<string, string>>(
    `SELECT toString(toDate(t.${time})) AS day, ${sums.join(', ')} FROM ${table} AS t GROUP BY day`,
  )
  return new Map(
    rows.map(({ day, ...values }) => [
      day ?? '',
      Object.fromEntries(Object.entries(values).map(([name, value]) => [name, BigInt(value)])),
    ]),
  )
}

async function auditRollups(engine: Engine, meter: Meter): Promise<AuditFinding[]> {
  const truth = await sumsByDay(engine, meter, `usage_${meter.name}`, 'minute')
  const findings: AuditFinding[] = []
  for (const { table } of meter.rollups) {
    const rolled = await sumsByDay(engine, meter, table, 'bucket')
    for (const day of new Set([...truth.keys(), ...rolled.keys()])) {
      for (const { name } of meter.quantities) {
        findings.push({
          check: `${table}.${name} on ${day} (UTC) equals usage_${meter.name}`,
          expected: truth.get(day)?.[name] ?? 0n,
          actual: rolled.get(day)?.[name] ?? 0n,
        })
      }
    }
  }
  return findings
}

async function auditSource(engine: Engine, total: SourceTotals): Promise<AuditFinding[]> {
  const { source, meter } = total
  const received = BigInt(total.lines)
  const accounted = BigInt(total.accepted) + BigInt(total.duplicate) + BigInt(total.rejected)
  const [kept] = await engine.rows<{ rows: string }>(
    `SELECT count() AS rows FROM rejected AS r WHERE r.source = {source:String} AND r.meter = {meter:String}`,
    { source, meter },
  )
  return [
    {
      check: `source ${source}, ${meter}: received = accepted + duplicate + rejected`,
      expected: received,
      actual: accounted,
    },
    {
      check: `source ${source}, ${meter}: every rejected line is kept`,
      expected: BigInt(total.rejected),
      actual: BigInt(kept?.rows ?? 0),
    },
  ]
}

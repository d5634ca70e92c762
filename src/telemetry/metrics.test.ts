import { expect, test } from 'vitest'
import { createMetrics, METRICS, metricsReference } from './metrics.ts'

async function linesOf(metrics: ReturnType<typeof createMetrics>, name: string) {
  const { text } = await metrics.expose()
  return text.split('\n').filter((line) => line.startsWith(name))
}

test('records are counted by source, outcome and reason', async () => {
  const metrics = createMetrics({ version: '1' })
  metrics.countRecords({ source: 'edge', outcome: 'accepted', reason: '' }, 3)
  metrics.countRecords({ source: 'edge', outcome: 'rejected', reason: 'too_old' }, 2)
  metrics.countRecords({ source: 'edge', outcome: 'rejected', reason: 'too_old' }, 2)
  metrics.countRecords({ source: 'edge', outcome: 'duplicate', reason: '' }, 0)
  expect(await linesOf(metrics, 'weir_ingest_records_total')).toEqual([
    'weir_ingest_records_total{source="edge",outcome="accepted",reason=""} 3',
    'weir_ingest_records_total{source="edge",outcome="rejected",reason="too_old"} 4',
  ])
})

test('the journal is read when the metrics are fetched', async () => {
  const metrics = createMetrics({ version: '1' })
  let bytes = 1
  metrics.watch({ journalBytes: () => bytes, journalFrames: () => 2, loaderHealthy: () => false })
  bytes = 5
  expect(await linesOf(metrics, 'weir_journal_')).toEqual([
    'weir_journal_bytes 5',
    'weir_journal_frames_pending 2',
  ])
  expect(await linesOf(metrics, 'weir_loader_healthy')).toEqual(['weir_loader_healthy 0'])
})

test('missing slots are those of the last look; a source that is gone is not shown', async () => {
  const metrics = createMetrics({ version: '1' })
  metrics.setMissingSlots(
    new Map([
      ['edge-1', 3],
      ['edge-2', 0],
    ]),
  )
  metrics.setMissingSlots(new Map([['edge-2', 1]]))
  expect(await linesOf(metrics, 'weir_source_slots_missing{')).toEqual([
    'weir_source_slots_missing{source="edge-2"} 1',
  ])
})

// Otherwise anybody could fill the memory by calling actions that do not exist.
test('invented label values end up under "other"', async () => {
  const metrics = createMetrics({ version: '1' })
  for (let index = 0; index < 1500; index += 1) {
    metrics.countRequest({ api: 'ucloud', action: `A${index}`, outcome: 'ok' }, 0.001)
  }
  const lines = await linesOf(metrics, 'weir_http_requests_total')
  expect(lines).toHaveLength(1001)
  expect(lines.at(-1)).toContain('action="other"')
})

test('every metric has help, a unit, and a name that says what it counts', () => {
  for (const { name, kind, help, unit } of Object.values(METRICS)) {
    expect(name).toMatch(/^weir_[a-z_]+$/)
    expect(name.endsWith('_total')).toBe(kind === 'counter')
    expect(help.length * unit.length).toBeGreaterThan(0)
  }
})

// Run with -u after a change of the table.
test('docs/reference/metrics.md lists every metric', async () => {
  await expect(metricsReference()).toMatchFileSnapshot('../../docs/reference/metrics.md')
})

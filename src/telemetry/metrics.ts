import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

/** What a metric is; `help` ends up in the exposition and in docs/reference/metrics.md. */
export interface MetricSpec {
  readonly name: string
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly help: string
  /** Of the value: `seconds`, `bytes`, or what is counted. */
  readonly unit: string
  readonly labels: readonly string[]
}

/** Upper bounds in seconds: a cached answer takes half a millisecond, a large load a minute. */
// prettier-ignore
const SECONDS_BUCKETS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
]

/**
 * Every metric of Weir itself. Those that start with `process_` or `nodejs_` come from the runtime.
 */
export const METRICS = {
  buildInfo: {
    name: 'weir_build_info',
    kind: 'gauge',
    help: 'Always 1; the labels say what is running.',
    unit: 'one',
    labels: ['version', 'node'],
  },
  ingestRecords: {
    name: 'weir_ingest_records_total',
    kind: 'counter',
    help: 'Records and log lines loaded; received is the sum over all outcomes.',
    unit: 'records',
    labels: ['source', 'outcome', 'reason'],
  },
  ingestRefused: {
    name: 'weir_ingest_refused_total',
    kind: 'counter',
    help: 'Requests with usage that were not accepted and that the sender has to repeat or repair.',
    unit: 'requests',
    labels: ['reason'],
  },
  journalBytes: {
    name: 'weir_journal_bytes',
    kind: 'gauge',
    help: 'Accepted bytes that are not loaded yet.',
    unit: 'bytes',
    labels: [],
  },
  journalFramesPending: {
    name: 'weir_journal_frames_pending',
    kind: 'gauge',
    help: 'Accepted requests and log chunks that are not loaded yet.',
    unit: 'frames',
    labels: [],
  },
  loadSeconds: {
    name: 'weir_load_seconds',
    kind: 'histogram',
    help: 'From taking a batch out of the journal until it is in every table.',
    unit: 'seconds',
    labels: ['meter'],
  },
  loadRows: {
    name: 'weir_load_rows_total',
    kind: 'counter',
    help: 'Records and log lines that batches carried.',
    unit: 'records',
    labels: ['meter'],
  },
  loaderHealthy: {
    name: 'weir_loader_healthy',
    kind: 'gauge',
    help: '1 while loading works, 0 while the current batch keeps failing.',
    unit: 'one',
    labels: [],
  },
  httpRequests: {
    name: 'weir_http_requests_total',
    kind: 'counter',
    help: 'Requests answered: api is ucloud, tencent, admin or native, action the call or route.',
    unit: 'requests',
    labels: ['api', 'action', 'outcome'],
  },
  httpRequestSeconds: {
    name: 'weir_http_request_seconds',
    kind: 'histogram',
    help: 'From the first byte of a request until its answer was handed over.',
    unit: 'seconds',
    labels: ['api', 'action'],
  },
  storeErrors: {
    name: 'weir_store_errors_total',
    kind: 'counter',
    help: 'Failures that a store reported, by row of the error table.',
    unit: 'errors',
    labels: ['store', 'code'],
  },
  auditFindings: {
    name: 'weir_audit_findings',
    kind: 'gauge',
    help: 'Sums that differed in the last audit; anything but 0 needs attention.',
    unit: 'findings',
    labels: [],
  },
  slotsMissing: {
    name: 'weir_source_slots_missing',
    kind: 'gauge',
    help: 'Of the last 24 hours: 5-minute slots in which a source was expected and not heard of.',
    unit: 'slots',
    labels: ['source'],
  },
  closedDays: {
    name: 'weir_billing_closed_days_total',
    kind: 'counter',
    help: 'Billing days that this process closed.',
    unit: 'days',
    labels: [],
  },
} as const satisfies Record<string, MetricSpec>

type MetricKey = keyof typeof METRICS

/** Distinct values one label may take; a client cannot fill the memory by inventing actions. */
const LABEL_VALUES_MAX = 1000

/** Counts what moves. Every function returns at once and never throws for a label value. */
export interface Metrics {
  /** `reason` is empty unless the outcome is rejected. */
  countRecords(
    labels: { source: string; outcome: 'accepted' | 'duplicate' | 'rejected'; reason: string },
    records: number,
  ): void
  countRefused(reason: string): void
  observeLoad(meter: string, seconds: number, records: number): void
  countRequest(labels: { api: string; action: string; outcome: string }, seconds: number): void
  countStoreError(store: 'usage' | 'control', code: string): void
  countClosedDays(days: number): void
  setAuditFindings(findings: number): void
  /** Source → slots; sources that are left out are not shown any more. */
  setMissingSlots(slots: ReadonlyMap<string, number>): void
  /** Reads these whenever the metrics are fetched. */
  watch(state: { journalBytes(): number; journalFrames(): number; loaderHealthy(): boolean }): void
  /** The Prometheus text. */
  expose(): Promise<{ readonly contentType: string; readonly text: string }>
}

/** Creates the metrics of one process, in a registry of their own. */
export function createMetrics(build: { readonly version: string }): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const bounded = createLabelBound()
  const counters = {
    ingestRecords: counter(registry, 'ingestRecords'),
    ingestRefused: counter(registry, 'ingestRefused'),
    loadRows: counter(registry, 'loadRows'),
    httpRequests: counter(registry, 'httpRequests'),
    storeErrors: counter(registry, 'storeErrors'),
    closedDays: counter(registry, 'closedDays'),
  }
  const loadSeconds = histogram(registry, 'loadSeconds')
  const httpRequestSeconds = histogram(registry, 'httpRequestSeconds')
  const auditFindings = gauge(registry, 'auditFindings')
  const slotsMissing = gauge(registry, 'slotsMissing')
  gauge(registry, 'buildInfo').set({ version: build.version, node: process.versions.node }, 1)
  return {
    countRecords({ source, outcome, reason }, records) {
      if (records > 0) {
        const labels = { source: bounded('source', source), outcome, reason }
        counters.ingestRecords.inc(labels, records)
      }
    },
    countRefused: (reason) => counters.ingestRefused.inc({ reason }),
    observeLoad(meter, seconds, records) {
      loadSeconds.observe({ meter }, seconds)
      counters.loadRows.inc({ meter }, records)
    },
    countRequest: createRequestCount(counters.httpRequests, httpRequestSeconds, bounded),
    countStoreError: (store, code) =>
      counters.storeErrors.inc({ store, code: bounded('code', code) }),
    countClosedDays: (days) => counters.closedDays.inc(days),
    setAuditFindings: (findings) => auditFindings.set(findings),
    setMissingSlots(slots) {
      slotsMissing.reset()
      for (const [source, missing] of slots) {
        slotsMissing.inc({ source: bounded('source', source) }, missing)
      }
    },
    watch(state) {
      gauge(registry, 'journalBytes', () => state.journalBytes())
      gauge(registry, 'journalFramesPending', () => state.journalFrames())
      gauge(registry, 'loaderHealthy', () => (state.loaderHealthy() ? 1 : 0))
    },
    expose: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  }
}

/** Finds the two series of a request once: doing it again takes longer than counting. */
function createRequestCount(
  requests: Counter,
  seconds: Histogram,
  bounded: (label: string, value: string) => string,
): Metrics['countRequest'] {
  const series = new Map<
    string,
    { requests: Counter.Internal; seconds: Histogram.Internal<string> }
  >()
  return ({ api, action, outcome }, elapsed) => {
    const known = bounded('action', action)
    const key = `${api} ${known} ${outcome}`
    let found = series.get(key)
    if (found === undefined) {
      found = {
        requests: requests.labels({ api, action: known, outcome }),
        seconds: seconds.labels({ api, action: known }),
      }
      series.set(key, found)
    }
    found.requests.inc()
    found.seconds.observe(elapsed)
  }
}

function createLabelBound(): (label: string, value: string) => string {
  const seen = new Map<string, Set<string>>()
  return (label, value) => {
    const values = seen.get(label) ?? new Set()
    seen.set(label, values)
    if (values.size >= LABEL_VALUES_MAX && !values.has(value)) return 'other'
    values.add(value)
    return value
  }
}

function options(key: MetricKey, registry: Registry) {
  const { name, help, unit, labels } = METRICS[key]
  return { name, help: `${help} Unit: ${unit}.`, labelNames: [...labels], registers: [registry] }
}

function counter(registry: Registry, key: MetricKey): Counter {
  return new Counter(options(key, registry))
}

function gauge(registry: Registry, key: MetricKey, read?: () => number): Gauge {
  if (read === undefined) return new Gauge(options(key, registry))
  return new Gauge({
    ...options(key, registry),
    collect() {
      this.set(read())
    },
  })
}

function histogram(registry: Registry, key: MetricKey): Histogram {
  return new Histogram({ ...options(key, registry), buckets: SECONDS_BUCKETS })
}

/** Writes docs/reference/metrics.md. */
export function metricsReference(): string {
  const rows = Object.values(METRICS).map(({ name, kind, unit, labels, help }) => {
    const labelText = labels.map((label) => `\`${label}\``).join(', ')
    return `| \`${name}\` | ${kind} | ${unit} | ${labelText} | ${help} |`
  })
  return [
    '# Metrics',
    '',
    'Written from the table in `src/telemetry/metrics.ts`; a test keeps the two equal.',
    '',
    '`GET /metrics` answers in the Prometheus text format. Beside these, the runtime reports its own',
    'under `process_` and `nodejs_` (memory, processor, event loop, garbage collection).',
    '',
    '| metric | kind | unit | labels | meaning |',
    '|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}

/** What Weir measures. */
export type MeterName = 'cdn' | 'eip' | 'mna'

/** A grouping label of usage. `type` is the engine's column type. */
export interface Dimension {
  readonly name: string
  readonly type: string
  readonly doc: string
  /**
   * The dimension that says what an empty value means: rows that are older than this one have none.
   */
  readonly emptyMeans?: string
}

/** A summable quantity, always an unsigned 64-bit integer. */
export interface Quantity {
  readonly name: string
  readonly doc: string
}

/** Usage summed over the dimensions it does not list, per aligned bucket. */
export interface Rollup {
  readonly table: string
  readonly bucketSeconds: 60 | 300
  /**
   * Sort order: what queries select by first, the bucket where they start to range. What a later
   * release adds goes last, where it can be added to tables that exist.
   */
  readonly orderBy: readonly string[]
}

/**
 * One meter, declared once: tables, rollups, ingest fields, queries and documentation derive from
 * it.
 */
export interface Meter {
  readonly name: MeterName
  readonly doc: string
  /** Labels beside `account`, `project` and `resource`, which every meter has. */
  readonly dimensions: readonly Dimension[]
  readonly quantities: readonly Quantity[]
  /** The quantity that `bytes` and the rates mean. */
  readonly bytes: string
  /** The quantity that `requests` means; null where nothing counts requests. */
  readonly requests: string | null
  /** Smallest first, so that a query takes the first that can answer it. */
  readonly rollups: readonly Rollup[]
}

/** A name that few distinct values share; the engine stores it as a dictionary. */
const LABEL = 'LowCardinality(String)'

/** Owners of usage, common to every meter. */
export const OWNER_DIMENSIONS: readonly Dimension[] = [
  { name: 'account', type: LABEL, doc: 'Who pays.' },
  { name: 'project', type: LABEL, doc: 'Project that owned the resource in that minute.' },
  { name: 'resource', type: LABEL, doc: 'Domain, elastic IP or gateway device.' },
]

const CDN: Meter = {
  name: 'cdn',
  doc: 'Traffic of a CDN domain.',
  dimensions: [
    { name: 'kind', type: LABEL, doc: 'static, or dynamic for whole-site acceleration.' },
    { name: 'area', type: LABEL, doc: 'cn or abroad, by the client address.' },
    {
      name: 'billing_region',
      type: LABEL,
      doc: 'cn, apac1, apac2, apac3, eu-na, me-africa, latam, or abroad when not known.',
      emptyMeans: 'area',
    },
    { name: 'province', type: LABEL, doc: 'Province code (pinyin) or others.' },
    { name: 'isp', type: LABEL, doc: 'Carrier code (pinyin) or others.' },
    { name: 'protocol', type: LABEL, doc: 'http, https, websocket, quic or empty.' },
    { name: 'ip_version', type: 'UInt8', doc: '4, 6, or 0 when the client is unknown.' },
    { name: 'status', type: 'UInt16', doc: 'HTTP status, 0 when unknown.' },
    { name: 'cache', type: LABEL, doc: 'Cache result such as HIT or MISS; empty when unknown.' },
  ],
  quantities: [
    { name: 'bytes_out', doc: 'Bytes sent to clients.' },
    { name: 'bytes_in', doc: 'Bytes received from clients.' },
    { name: 'requests', doc: 'Requests answered.' },
    { name: 'hit_bytes', doc: 'Bytes sent from cache.' },
    { name: 'hit_requests', doc: 'Requests answered from cache.' },
    { name: 'origin_bytes', doc: 'Bytes fetched from the origin.' },
    { name: 'origin_requests', doc: 'Requests to the origin.' },
  ],
  bytes: 'bytes_out',
  requests: 'requests',
  rollups: [
    // Packages are drawn from account totals over months, cut at any minute.
    {
      table: 'cdn_account_1m',
      bucketSeconds: 60,
      orderBy: ['account', 'kind', 'area', 'bucket', 'project', 'billing_region'],
    },
    // One row per slot of a domain: what a 95th percentile ranks. Without billing regions, by which
    // a slot of a domain with clients all over the world would be seven rows.
    {
      table: 'cdn_resource_5m',
      bucketSeconds: 300,
      orderBy: ['resource', 'bucket', 'area', 'kind', 'project', 'account'],
    },
    {
      table: 'cdn_project_5m',
      bucketSeconds: 300,
      orderBy: [
        'account',
        'project',
        'bucket',
        'province',
        'isp',
        'area',
        'kind',
        'billing_region',
      ],
    },
    {
      table: 'cdn_5m',
      bucketSeconds: 300,
      orderBy: [
        'resource',
        'bucket',
        'province',
        'isp',
        'area',
        'kind',
        'project',
        'account',
        'billing_region',
      ],
    },
  ],
}

const EIP: Meter = {
  name: 'eip',
  doc: 'Traffic of an elastic IP.',
  dimensions: [
    { name: 'region', type: LABEL, doc: 'Region of the address.' },
    { name: 'direction', type: LABEL, doc: 'out (to the internet) or in.' },
  ],
  quantities: [
    { name: 'bytes', doc: 'Bytes moved.' },
    { name: 'packets', doc: 'Packets moved; 0 when the source does not count them.' },
  ],
  bytes: 'bytes',
  requests: null,
  rollups: [
    {
      table: 'eip_5m',
      bucketSeconds: 300,
      orderBy: ['resource', 'direction', 'bucket', 'project', 'account', 'region'],
    },
  ],
}

const MNA: Meter = {
  name: 'mna',
  doc: 'Traffic of a multi-network gateway device.',
  dimensions: [
    { name: 'gateway_type', type: LABEL, doc: '0 public cloud gateway, 1 private.' },
    { name: 'access_region', type: LABEL, doc: 'MC, AP, EU or AM.' },
    { name: 'direction', type: LABEL, doc: 'up (from the device) or down.' },
    { name: 'link', type: LABEL, doc: 'Carrier link of the device; empty when unknown.' },
  ],
  quantities: [{ name: 'bytes', doc: 'Bytes moved.' }],
  bytes: 'bytes',
  requests: null,
  rollups: [
    {
      table: 'mna_5m',
      bucketSeconds: 300,
      orderBy: [
        'account',
        'gateway_type',
        'access_region',
        'direction',
        'bucket',
        'project',
        'resource',
      ],
    },
  ],
}

/** Every meter, by name. */
export const METERS: Readonly<Record<MeterName, Meter>> = { cdn: CDN, eip: EIP, mna: MNA }

/** Names of all meters, in the order in which they are documented. */
export const METER_NAMES: readonly MeterName[] = ['cdn', 'eip', 'mna']

/** The owner dimensions and the meter's own, in column order. */
export function dimensionsOf(meter: Meter): readonly Dimension[] {
  return [...OWNER_DIMENSIONS, ...meter.dimensions]
}

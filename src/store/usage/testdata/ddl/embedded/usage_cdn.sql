CREATE TABLE IF NOT EXISTS usage_cdn
(
  batch UInt64 COMMENT 'Loaded with this batch.' CODEC(Delta, ZSTD(1)),
  frame UInt64 COMMENT 'Journal frame it arrived in.' CODEC(Delta, ZSTD(1)),
  source LowCardinality(String) COMMENT 'Who reported it.',
  rid UInt64 COMMENT 'Hash of the record id, 0 without.' CODEC(NONE),
  rid_check UInt64 COMMENT 'Second hash of the record id.' CODEC(NONE),
  minute DateTime('UTC') COMMENT 'Start of its minute.' CODEC(Delta, ZSTD(1)),
  account LowCardinality(String) COMMENT 'Who pays.',
  project LowCardinality(String) COMMENT 'Project that owned the resource in that minute.',
  resource LowCardinality(String) COMMENT 'Domain, elastic IP or gateway device.',
  kind LowCardinality(String) COMMENT 'static, or dynamic for whole-site acceleration.',
  area LowCardinality(String) COMMENT 'cn or abroad, by the client address.',
  billing_region LowCardinality(String) COMMENT 'cn, apac1, apac2, apac3, eu-na, me-africa, latam, or abroad when not known.',
  province LowCardinality(String) COMMENT 'Province code (pinyin) or others.',
  isp LowCardinality(String) COMMENT 'Carrier code (pinyin) or others.',
  protocol LowCardinality(String) COMMENT 'http, https, websocket, quic or empty.',
  ip_version UInt8 COMMENT '4, 6, or 0 when the client is unknown.',
  status UInt16 COMMENT 'HTTP status, 0 when unknown.',
  cache LowCardinality(String) COMMENT 'Cache result such as HIT or MISS; empty when unknown.',
  bytes_out UInt64 COMMENT 'Bytes sent to clients.',
  bytes_in UInt64 COMMENT 'Bytes received from clients.',
  requests UInt64 COMMENT 'Requests answered.',
  hit_bytes UInt64 COMMENT 'Bytes sent from cache.',
  hit_requests UInt64 COMMENT 'Requests answered from cache.',
  origin_bytes UInt64 COMMENT 'Bytes fetched from the origin.',
  origin_requests UInt64 COMMENT 'Requests to the origin.',
  geo_version LowCardinality(String) COMMENT 'Address database that attributed it; empty where none was asked.',
  INDEX batch_range batch TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree()
PARTITION BY toYYYYMMDD(minute)
ORDER BY (resource, minute)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 1000
COMMENT 'Traffic of a CDN domain. The truth: one row per record, or per minute of one batch.';

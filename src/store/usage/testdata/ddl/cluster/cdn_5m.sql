CREATE TABLE IF NOT EXISTS cdn_5m_local ON CLUSTER weir
(
  resource LowCardinality(String) COMMENT 'Domain, elastic IP or gateway device.',
  bucket DateTime('UTC') COMMENT 'Start of its 300 seconds.' CODEC(Delta, ZSTD(1)),
  province LowCardinality(String) COMMENT 'Province code (pinyin) or others.',
  isp LowCardinality(String) COMMENT 'Carrier code (pinyin) or others.',
  area LowCardinality(String) COMMENT 'cn or abroad, by the client address.',
  kind LowCardinality(String) COMMENT 'static, or dynamic for whole-site acceleration.',
  project LowCardinality(String) COMMENT 'Project that owned the resource in that minute.',
  account LowCardinality(String) COMMENT 'Who pays.',
  billing_region LowCardinality(String) COMMENT 'cn, apac1, apac2, apac3, eu-na, me-africa, latam, or abroad when not known.',
  bytes_out UInt64 COMMENT 'Bytes sent to clients.',
  bytes_in UInt64 COMMENT 'Bytes received from clients.',
  requests UInt64 COMMENT 'Requests answered.',
  hit_bytes UInt64 COMMENT 'Bytes sent from cache.',
  hit_requests UInt64 COMMENT 'Requests answered from cache.',
  origin_bytes UInt64 COMMENT 'Bytes fetched from the origin.',
  origin_requests UInt64 COMMENT 'Requests to the origin.'
)
ENGINE = ReplicatedSummingMergeTree('/clickhouse/tables/{shard}/{database}/cdn_5m', '{replica}', (bytes_out, bytes_in, requests, hit_bytes, hit_requests, origin_bytes, origin_requests))
PARTITION BY toYYYYMM(bucket)
ORDER BY (resource, bucket, province, isp, area, kind, project, account, billing_region)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, replicated_deduplication_window = 1000
COMMENT 'Traffic of a CDN domain. Sums per 300 s; can be rebuilt from usage_cdn.';

CREATE TABLE IF NOT EXISTS cdn_5m ON CLUSTER weir AS cdn_5m_local
ENGINE = Distributed(weir, currentDatabase(), cdn_5m_local, cityHash64(resource));

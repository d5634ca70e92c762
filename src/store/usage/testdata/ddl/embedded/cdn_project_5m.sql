CREATE TABLE IF NOT EXISTS cdn_project_5m
(
  account LowCardinality(String) COMMENT 'Who pays.',
  project LowCardinality(String) COMMENT 'Project that owned the resource in that minute.',
  bucket DateTime('UTC') COMMENT 'Start of its 300 seconds.' CODEC(Delta, ZSTD(1)),
  province LowCardinality(String) COMMENT 'Province code (pinyin) or others.',
  isp LowCardinality(String) COMMENT 'Carrier code (pinyin) or others.',
  area LowCardinality(String) COMMENT 'cn or abroad, by the client address.',
  kind LowCardinality(String) COMMENT 'static, or dynamic for whole-site acceleration.',
  billing_region LowCardinality(String) COMMENT 'cn, apac1, apac2, apac3, eu-na, me-africa, latam, or abroad when not known.',
  bytes_out UInt64 COMMENT 'Bytes sent to clients.',
  bytes_in UInt64 COMMENT 'Bytes received from clients.',
  requests UInt64 COMMENT 'Requests answered.',
  hit_bytes UInt64 COMMENT 'Bytes sent from cache.',
  hit_requests UInt64 COMMENT 'Requests answered from cache.',
  origin_bytes UInt64 COMMENT 'Bytes fetched from the origin.',
  origin_requests UInt64 COMMENT 'Requests to the origin.'
)
ENGINE = SummingMergeTree((bytes_out, bytes_in, requests, hit_bytes, hit_requests, origin_bytes, origin_requests))
PARTITION BY toYYYYMM(bucket)
ORDER BY (account, project, bucket, province, isp, area, kind, billing_region)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 1000
COMMENT 'Traffic of a CDN domain. Sums per 300 s; can be rebuilt from usage_cdn.';

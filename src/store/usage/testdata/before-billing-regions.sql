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

CREATE TABLE IF NOT EXISTS cdn_account_1m
(
  account LowCardinality(String) COMMENT 'Who pays.',
  kind LowCardinality(String) COMMENT 'static, or dynamic for whole-site acceleration.',
  area LowCardinality(String) COMMENT 'cn or abroad, by the client address.',
  bucket DateTime('UTC') COMMENT 'Start of its 60 seconds.' CODEC(Delta, ZSTD(1)),
  project LowCardinality(String) COMMENT 'Project that owned the resource in that minute.',
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
ORDER BY (account, kind, area, bucket, project)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 1000
COMMENT 'Traffic of a CDN domain. Sums per 60 s; can be rebuilt from usage_cdn.';

CREATE TABLE IF NOT EXISTS cdn_project_5m
(
  account LowCardinality(String) COMMENT 'Who pays.',
  project LowCardinality(String) COMMENT 'Project that owned the resource in that minute.',
  bucket DateTime('UTC') COMMENT 'Start of its 300 seconds.' CODEC(Delta, ZSTD(1)),
  province LowCardinality(String) COMMENT 'Province code (pinyin) or others.',
  isp LowCardinality(String) COMMENT 'Carrier code (pinyin) or others.',
  area LowCardinality(String) COMMENT 'cn or abroad, by the client address.',
  kind LowCardinality(String) COMMENT 'static, or dynamic for whole-site acceleration.',
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
ORDER BY (account, project, bucket, province, isp, area, kind)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 1000
COMMENT 'Traffic of a CDN domain. Sums per 300 s; can be rebuilt from usage_cdn.';

CREATE TABLE IF NOT EXISTS cdn_5m
(
  resource LowCardinality(String) COMMENT 'Domain, elastic IP or gateway device.',
  bucket DateTime('UTC') COMMENT 'Start of its 300 seconds.' CODEC(Delta, ZSTD(1)),
  province LowCardinality(String) COMMENT 'Province code (pinyin) or others.',
  isp LowCardinality(String) COMMENT 'Carrier code (pinyin) or others.',
  area LowCardinality(String) COMMENT 'cn or abroad, by the client address.',
  kind LowCardinality(String) COMMENT 'static, or dynamic for whole-site acceleration.',
  project LowCardinality(String) COMMENT 'Project that owned the resource in that minute.',
  account LowCardinality(String) COMMENT 'Who pays.',
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
ORDER BY (resource, bucket, province, isp, area, kind, project, account)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 1000
COMMENT 'Traffic of a CDN domain. Sums per 300 s; can be rebuilt from usage_cdn.';

CREATE TABLE IF NOT EXISTS cdn_resource_5m
(
  resource LowCardinality(String) COMMENT 'Domain, elastic IP or gateway device.',
  bucket DateTime('UTC') COMMENT 'Start of its 300 seconds.' CODEC(Delta, ZSTD(1)),
  area LowCardinality(String) COMMENT 'cn or abroad, by the client address.',
  kind LowCardinality(String) COMMENT 'static, or dynamic for whole-site acceleration.',
  project LowCardinality(String) COMMENT 'Project that owned the resource in that minute.',
  account LowCardinality(String) COMMENT 'Who pays.',
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
ORDER BY (resource, bucket, area, kind, project, account)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 1000
COMMENT 'Traffic of a CDN domain. Sums per 300 s; can be rebuilt from usage_cdn.';

CREATE TABLE geo_prefixes (prefix String, place UInt16, version String)
ENGINE = MergeTree ORDER BY prefix;

CREATE TABLE geo_names (prefix String, area String, province String, isp String)
ENGINE = Memory;

INSERT INTO geo_prefixes VALUES ('8.0.0.0/8', 0, 'test-1'), ('60.0.0.0/8', 388, 'test-1');

INSERT INTO usage_cdn
  (batch, frame, source, rid, rid_check, minute, account, project, resource, kind, area, province,
   isp, protocol, ip_version, status, cache, bytes_out, bytes_in, requests, hit_bytes,
   hit_requests, origin_bytes, origin_requests, geo_version)
VALUES
  (900, 900, 'old', 11, 12, '2026-11-20 10:00:00', 'acc-1', 'org-1', 'ucdn-a', 'static', 'cn',
   'beijing', 'dianxin', 'https', 4, 200, 'HIT', 1000, 10, 5, 900, 4, 100, 1, 'test-1'),
  (900, 900, 'old', 13, 14, '2026-11-20 10:01:00', 'acc-1', 'org-1', 'ucdn-a', 'static', 'abroad',
   'others', 'others', 'https', 4, 200, 'HIT', 20000, 20, 6, 0, 0, 0, 0, 'test-1'),
  (901, 901, 'old', 15, 16, '2026-11-20 10:03:00', 'acc-1', 'org-1', 'ucdn-a', 'static', 'abroad',
   'xianggang', 'others', 'http', 6, 404, 'MISS', 300000, 30, 7, 0, 0, 0, 0, '');

INSERT INTO cdn_account_1m
  (account, kind, area, bucket, project, bytes_out, bytes_in, requests, hit_bytes, hit_requests,
   origin_bytes, origin_requests)
SELECT account, kind, area, minute, project, bytes_out, bytes_in, requests, hit_bytes, hit_requests,
  origin_bytes, origin_requests
FROM usage_cdn;

INSERT INTO cdn_project_5m
  (account, project, bucket, province, isp, area, kind, bytes_out, bytes_in, requests, hit_bytes,
   hit_requests, origin_bytes, origin_requests)
SELECT account, project, toStartOfFiveMinutes(minute), province, isp, area, kind, bytes_out, bytes_in,
  requests, hit_bytes, hit_requests, origin_bytes, origin_requests
FROM usage_cdn;

INSERT INTO cdn_5m
  (resource, bucket, province, isp, area, kind, project, account, bytes_out, bytes_in, requests,
   hit_bytes, hit_requests, origin_bytes, origin_requests)
SELECT resource, toStartOfFiveMinutes(minute), province, isp, area, kind, project, account, bytes_out,
  bytes_in, requests, hit_bytes, hit_requests, origin_bytes, origin_requests
FROM usage_cdn;

INSERT INTO cdn_resource_5m
  (resource, bucket, area, kind, project, account, bytes_out, bytes_in, requests, hit_bytes,
   hit_requests, origin_bytes, origin_requests)
SELECT resource, toStartOfFiveMinutes(minute), area, kind, project, account, bytes_out, bytes_in,
  requests, hit_bytes, hit_requests, origin_bytes, origin_requests
FROM usage_cdn;

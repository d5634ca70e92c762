CREATE TABLE IF NOT EXISTS usage_eip
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
  region LowCardinality(String) COMMENT 'Region of the address.',
  direction LowCardinality(String) COMMENT 'out (to the internet) or in.',
  bytes UInt64 COMMENT 'Bytes moved.',
  packets UInt64 COMMENT 'Packets moved; 0 when the source does not count them.',
  geo_version LowCardinality(String) COMMENT 'Address database that attributed it; empty where none was asked.',
  INDEX batch_range batch TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree()
PARTITION BY toYYYYMMDD(minute)
ORDER BY (resource, minute)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 1000
COMMENT 'Traffic of an elastic IP. The truth: one row per record, or per minute of one batch.';

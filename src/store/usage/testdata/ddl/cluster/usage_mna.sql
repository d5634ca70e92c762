CREATE TABLE IF NOT EXISTS usage_mna_local ON CLUSTER weir
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
  gateway_type LowCardinality(String) COMMENT '0 public cloud gateway, 1 private.',
  access_region LowCardinality(String) COMMENT 'MC, AP, EU or AM.',
  direction LowCardinality(String) COMMENT 'up (from the device) or down.',
  link LowCardinality(String) COMMENT 'Carrier link of the device; empty when unknown.',
  bytes UInt64 COMMENT 'Bytes moved.',
  geo_version LowCardinality(String) COMMENT 'Address database that attributed it; empty where none was asked.',
  INDEX batch_range batch TYPE minmax GRANULARITY 1
)
ENGINE = ReplicatedMergeTree('/clickhouse/tables/{shard}/{database}/usage_mna', '{replica}')
PARTITION BY toYYYYMMDD(minute)
ORDER BY (resource, minute)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, replicated_deduplication_window = 1000
COMMENT 'Traffic of a multi-network gateway device. The truth: one row per record, or per minute of one batch.';

CREATE TABLE IF NOT EXISTS usage_mna ON CLUSTER weir AS usage_mna_local
ENGINE = Distributed(weir, currentDatabase(), usage_mna_local, cityHash64(resource));

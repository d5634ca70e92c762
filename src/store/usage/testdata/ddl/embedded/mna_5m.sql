CREATE TABLE IF NOT EXISTS mna_5m
(
  account LowCardinality(String) COMMENT 'Who pays.',
  gateway_type LowCardinality(String) COMMENT '0 public cloud gateway, 1 private.',
  access_region LowCardinality(String) COMMENT 'MC, AP, EU or AM.',
  direction LowCardinality(String) COMMENT 'up (from the device) or down.',
  bucket DateTime('UTC') COMMENT 'Start of its 300 seconds.' CODEC(Delta, ZSTD(1)),
  project LowCardinality(String) COMMENT 'Project that owned the resource in that minute.',
  resource LowCardinality(String) COMMENT 'Domain, elastic IP or gateway device.',
  bytes UInt64 COMMENT 'Bytes moved.'
)
ENGINE = SummingMergeTree((bytes))
PARTITION BY toYYYYMM(bucket)
ORDER BY (account, gateway_type, access_region, direction, bucket, project, resource)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 1000
COMMENT 'Traffic of a multi-network gateway device. Sums per 300 s; can be rebuilt from usage_mna.';

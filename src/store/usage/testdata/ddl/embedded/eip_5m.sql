CREATE TABLE IF NOT EXISTS eip_5m
(
  resource LowCardinality(String) COMMENT 'Domain, elastic IP or gateway device.',
  direction LowCardinality(String) COMMENT 'out (to the internet) or in.',
  bucket DateTime('UTC') COMMENT 'Start of its 300 seconds.' CODEC(Delta, ZSTD(1)),
  project LowCardinality(String) COMMENT 'Project that owned the resource in that minute.',
  account LowCardinality(String) COMMENT 'Who pays.',
  region LowCardinality(String) COMMENT 'Region of the address.',
  bytes UInt64 COMMENT 'Bytes moved.',
  packets UInt64 COMMENT 'Packets moved; 0 when the source does not count them.'
)
ENGINE = SummingMergeTree((bytes, packets))
PARTITION BY toYYYYMM(bucket)
ORDER BY (resource, direction, bucket, project, account, region)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 1000
COMMENT 'Traffic of an elastic IP. Sums per 300 s; can be rebuilt from usage_eip.';

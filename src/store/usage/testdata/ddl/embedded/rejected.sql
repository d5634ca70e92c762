CREATE TABLE IF NOT EXISTS rejected
(
  batch UInt64 COMMENT 'Batch that rejected it.' CODEC(Delta, ZSTD(1)),
  frame UInt64 COMMENT 'Journal frame it arrived in.' CODEC(Delta, ZSTD(1)),
  line UInt64 COMMENT 'Line within the frame, from 1.' CODEC(Delta, ZSTD(1)),
  received DateTime('UTC') COMMENT 'When it arrived.' CODEC(Delta, ZSTD(1)),
  source LowCardinality(String) COMMENT 'Who reported it.',
  meter LowCardinality(String) COMMENT 'Meter it was meant for.',
  format LowCardinality(String) COMMENT 'How it was read (JSON).',
  reason LowCardinality(String) COMMENT 'Why it was rejected.',
  detail String COMMENT 'Domain, resource or value at fault.',
  raw String COMMENT 'Its text, as received.' CODEC(ZSTD(1)),
  INDEX batch_range batch TYPE minmax GRANULARITY 1
)
ENGINE = MergeTree()
PARTITION BY toYYYYMM(received)
ORDER BY (source, reason, batch, line)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1, non_replicated_deduplication_window = 1000
COMMENT 'What could not be used, with its reason and its text, until it is replayed.';

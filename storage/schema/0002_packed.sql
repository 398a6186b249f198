-- History packed: analytics_metrics keeps the samples of the latest small commits as rows, everything else lies in blobs.
-- Times are unix milliseconds here. The blobs' format stands in docs/FORMAT.md.

-- Names of metrics, some hundred a row, as a zlib-compressed JSON list. A metric's id is a hash of its name
-- (sqlite_names.py). The CRC is over the text before compression.
CREATE TABLE analytics_series (
    series_id INTEGER PRIMARY KEY,
    crc INTEGER NOT NULL,
    names BLOB NOT NULL
);

-- The latest metadata of a metric whose samples are packed.
CREATE TABLE analytics_series_metadata (
    metric_id INTEGER PRIMARY KEY,
    metadata TEXT NOT NULL CHECK (json_valid(metadata))
);

-- Write-ahead part: one row a commit, in order of commit, of many metrics each. Compaction turns it into chunks.
CREATE TABLE analytics_journal (
    journal_id INTEGER PRIMARY KEY,
    metric_id INTEGER NOT NULL,  -- the lowest
    last_metric_id INTEGER NOT NULL,  -- the highest
    start_ms INTEGER NOT NULL,
    end_ms INTEGER NOT NULL,
    count INTEGER NOT NULL,
    codec INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    data BLOB NOT NULL
);

-- History: a few thousand samples of one metric a row (level 0), or packs: short runs of many metrics in one row.
-- Packs of one level are merged into packs of the next, and out of them the runs that have grown long.
-- Samples of one metric never overlap between rows.
CREATE TABLE analytics_chunks (
    chunk_id INTEGER PRIMARY KEY,
    metric_id INTEGER NOT NULL,  -- of a pack: the lowest
    last_metric_id INTEGER NOT NULL,  -- the highest
    start_ms INTEGER NOT NULL,
    end_ms INTEGER NOT NULL,  -- of the last sample
    count INTEGER NOT NULL,  -- samples it stands for
    codec INTEGER NOT NULL,  -- 1: samples, 2: buckets
    crc INTEGER NOT NULL,  -- over the numbers above it, but the id, and the blob
    level INTEGER NOT NULL,  -- 0: one metric
    tier INTEGER NOT NULL,  -- 0: as it came, 1: thinned to minutes, 2: to hours, where that made it smaller
    data BLOB NOT NULL
);

CREATE INDEX analytics_chunks_by_metric ON analytics_chunks (metric_id, end_ms, start_ms) WHERE level = 0;
CREATE INDEX analytics_chunks_packs ON analytics_chunks (end_ms, start_ms, metric_id, last_metric_id) WHERE level > 0;
CREATE INDEX analytics_chunks_by_age ON analytics_chunks (tier, end_ms);

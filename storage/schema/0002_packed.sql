-- History packed: analytics_metrics keeps the samples of the latest small commits as rows, everything else lies in blobs.
-- Times are unix milliseconds here. The blobs' format stands in docs/FORMAT.md.

-- Names of metrics: a row holds `count` names, the ids first_id, first_id + 1, ... as zlib-compressed JSON list.
CREATE TABLE analytics_series (
    first_id INTEGER PRIMARY KEY,
    count INTEGER NOT NULL,
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
    start_ms INTEGER NOT NULL,
    end_ms INTEGER NOT NULL,
    count INTEGER NOT NULL,
    codec INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    data BLOB NOT NULL
);

-- History: a few thousand samples of one metric a row, or short runs of many metrics (metric_id 0).
-- Runs of one metric never overlap.
CREATE TABLE analytics_chunks (
    chunk_id INTEGER PRIMARY KEY,
    metric_id INTEGER NOT NULL,
    start_ms INTEGER NOT NULL,
    end_ms INTEGER NOT NULL,
    count INTEGER NOT NULL,  -- samples it stands for
    codec INTEGER NOT NULL,  -- 1: samples, 2: buckets
    tier INTEGER NOT NULL,  -- 0: as it came, 1: thinned to minutes, 2: to hours, where that made it smaller
    crc INTEGER NOT NULL,
    data BLOB NOT NULL
);

CREATE INDEX analytics_chunks_by_metric ON analytics_chunks (metric_id, end_ms, start_ms);
CREATE INDEX analytics_chunks_by_age ON analytics_chunks (tier, end_ms);

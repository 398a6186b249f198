-- The archive, first form: the seed's three tables with the seed's columns, and what our records need besides.
-- Times are unix seconds as REAL; a time in whole milliseconds comes back exactly. JSON columns hold text.
-- Applied in one transaction by sqlite_schema.py, which also sets user_version.

-- One row a sample. The primary key is the table: a metric's samples lie side by side in order of time, a second copy
-- of a sample replaces the first, and no further index is needed. metadata stands in the rows that came with it, and
-- last in the table: with a column that may be NULL before one of the key, SQLite 3.40's integrity_check cries wolf.
CREATE TABLE analytics_metrics (
    metric_name TEXT NOT NULL,
    value REAL NOT NULL CHECK (typeof(value) = 'real'),
    timestamp REAL NOT NULL CHECK (typeof(timestamp) = 'real'),
    metadata TEXT CHECK (metadata IS NULL OR json_valid(metadata)),
    PRIMARY KEY (metric_name, timestamp)
) WITHOUT ROWID;

CREATE TABLE analytics_insights (
    insight_id TEXT NOT NULL PRIMARY KEY,
    title TEXT NOT NULL,
    description TEXT NOT NULL,
    category TEXT NOT NULL CHECK (category IN ('performance', 'reliability', 'efficiency', 'cost')),
    severity TEXT NOT NULL CHECK (severity IN ('low', 'medium', 'high', 'critical')),
    confidence REAL NOT NULL CHECK (confidence BETWEEN 0.0 AND 1.0),
    impact_score REAL NOT NULL CHECK (impact_score BETWEEN 0.0 AND 1.0),
    recommendations TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(recommendations)),
    supporting_data TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(supporting_data)),
    created_at REAL NOT NULL,
    expires_at REAL,
    insight_key TEXT NOT NULL,  -- rule and metric: stable over many insights
    updated_at REAL NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('new', 'resolved')),
    metric_name TEXT,
    actions TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(actions)),
    evidence TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(evidence))
) WITHOUT ROWID;

CREATE INDEX analytics_insights_by_update ON analytics_insights (updated_at);

CREATE TABLE analytics_patterns (
    pattern_id TEXT NOT NULL PRIMARY KEY,
    pattern_type TEXT NOT NULL CHECK (pattern_type IN ('cyclical', 'trending', 'anomalous', 'baseline')),
    description TEXT NOT NULL,
    confidence REAL NOT NULL CHECK (confidence BETWEEN 0.0 AND 1.0),
    frequency TEXT,
    correlation_factors TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(correlation_factors)),
    prediction_window TEXT,
    created_at REAL NOT NULL,  -- when an analysis found it last
    metric_name TEXT NOT NULL,
    pattern_data TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(pattern_data))
) WITHOUT ROWID;

CREATE INDEX analytics_patterns_by_creation ON analytics_patterns (created_at);

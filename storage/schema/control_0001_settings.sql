-- control.db, first form: what people have set, and the states of alerts. Small, and dear: unlike history it can't be
-- measured again. Bodies are JSON objects whose shape the gateway checks. Times are unix milliseconds.
-- Applied in one transaction by control_schema.py, which also sets user_version.

-- Thresholds, KPIs, preferences, layouts. owner is '' where a document is everybody's. revision grows with every change
-- of any document and is never given twice: it is what an ETag is made of.
CREATE TABLE documents (
    kind TEXT NOT NULL,
    owner TEXT NOT NULL,
    id TEXT NOT NULL,
    revision INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    body TEXT NOT NULL CHECK (json_valid(body)),
    PRIMARY KEY (kind, owner, id)
) WITHOUT ROWID;

CREATE TABLE counters (
    name TEXT NOT NULL PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;

INSERT INTO counters VALUES ('revision', 0);

-- One row per threshold and metric that is not simply within its limits.
CREATE TABLE alert_states (
    threshold_id TEXT NOT NULL,
    metric_name TEXT NOT NULL,
    state TEXT NOT NULL CHECK (json_valid(state)),
    PRIMARY KEY (threshold_id, metric_name)
) WITHOUT ROWID;

-- What people said to insights: one row per key (rule and metric).
CREATE TABLE insight_marks (
    insight_key TEXT NOT NULL PRIMARY KEY,
    mark TEXT NOT NULL CHECK (json_valid(mark))
) WITHOUT ROWID;

-- Device actions. actions is how each stands now; action_journal is everything that ever happened to them, each entry
-- holding the hash of the one before, so that none can be changed or taken out unnoticed.
CREATE TABLE actions (
    action_id TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    entity_id TEXT NOT NULL,
    phase TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    body TEXT NOT NULL CHECK (json_valid(body)),
    UNIQUE (owner, idempotency_key)
) WITHOUT ROWID;

CREATE INDEX actions_by_phase ON actions (phase);

CREATE TABLE action_journal (
    seq INTEGER NOT NULL PRIMARY KEY,
    action_id TEXT NOT NULL,
    phase TEXT NOT NULL,
    at_ms INTEGER NOT NULL,
    body TEXT NOT NULL,
    hash TEXT NOT NULL
);

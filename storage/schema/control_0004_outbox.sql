-- What waits to be sent to people, and what was. A row stays as the record of its delivery.
CREATE TABLE outbox (
    message_id TEXT NOT NULL PRIMARY KEY,
    owner TEXT NOT NULL,
    channel_id TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'merged', 'failed')),
    next_ms INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    done_ms INTEGER,
    error TEXT,
    body TEXT NOT NULL CHECK (json_valid(body))
) WITHOUT ROWID;

CREATE INDEX outbox_by_state ON outbox (state, owner, channel_id, created_ms);

-- Per user: what is being gathered and what was told, so that a restart neither forgets nor repeats.
CREATE TABLE notify_states (
    owner TEXT NOT NULL PRIMARY KEY,
    body TEXT NOT NULL CHECK (json_valid(body))
) WITHOUT ROWID;

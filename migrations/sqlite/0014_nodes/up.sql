-- Processes that serve: until when each was heard, and how far it has followed the change log.
CREATE TABLE nodes (
    name            TEXT PRIMARY KEY NOT NULL,
    role            TEXT NOT NULL CHECK (role IN ('portal', 'gate', 'both')),
    version         TEXT NOT NULL,
    started_at      INTEGER NOT NULL,
    heard_at        INTEGER NOT NULL,
    left_at         INTEGER,
    max_staleness   INTEGER NOT NULL,
    epoch           INTEGER NOT NULL,
    loaded          INTEGER NOT NULL,
    loaded_at       INTEGER NOT NULL,
    applied         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- When a node began to refuse what a change of a key ended.
CREATE TABLE node_acks (
    key_row         INTEGER NOT NULL REFERENCES keys (id) ON DELETE CASCADE,
    generation      INTEGER NOT NULL,
    node            TEXT NOT NULL,
    at              INTEGER NOT NULL,
    PRIMARY KEY (key_row, generation, node)
) STRICT, WITHOUT ROWID;
CREATE INDEX node_acks_by_age ON node_acks (at);

-- What ended a key is found by the key.
CREATE INDEX changes_of_row ON changes (ref_row, at);

-- Processes that serve: until when each was heard, and how far it has followed the change log.
CREATE TABLE nodes (
    name            TEXT PRIMARY KEY NOT NULL,
    role            TEXT NOT NULL CHECK (role IN ('portal', 'gate', 'both')),
    version         TEXT NOT NULL,
    started_at      BIGINT NOT NULL,
    heard_at        BIGINT NOT NULL,
    left_at         BIGINT,
    max_staleness   BIGINT NOT NULL,
    epoch           BIGINT NOT NULL,
    loaded          BIGINT NOT NULL,
    loaded_at       BIGINT NOT NULL,
    applied         BIGINT NOT NULL
);

-- When a node began to refuse what a change of a key ended.
CREATE TABLE node_acks (
    key_row         BIGINT NOT NULL REFERENCES keys (id) ON DELETE CASCADE,
    generation      BIGINT NOT NULL,
    node            TEXT NOT NULL,
    at              BIGINT NOT NULL,
    PRIMARY KEY (key_row, generation, node)
);
CREATE INDEX node_acks_by_age ON node_acks (at);

-- What ended a key is found by the key.
CREATE INDEX changes_of_row ON changes (ref_row, at);

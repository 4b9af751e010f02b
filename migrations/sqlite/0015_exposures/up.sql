-- Server secrets that were sent where others can read them: in a URL (1), without encryption (2). No reference to keys: what was
-- counted is written whether the key is still there or not.
CREATE TABLE key_exposures (
    key_row         INTEGER NOT NULL,
    secret_number   INTEGER NOT NULL,
    way             INTEGER NOT NULL CHECK (way IN (1, 2)),
    times           INTEGER NOT NULL,
    first_at        INTEGER NOT NULL,
    last_at         INTEGER NOT NULL,
    PRIMARY KEY (key_row, secret_number, way)
) STRICT, WITHOUT ROWID;
CREATE INDEX key_exposures_by_age ON key_exposures (last_at);

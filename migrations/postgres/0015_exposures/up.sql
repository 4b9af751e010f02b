-- Server secrets that were sent where others can read them: in a URL (1), without encryption (2). No reference to keys: what was
-- counted is written whether the key is still there or not.
CREATE TABLE key_exposures (
    key_row         BIGINT NOT NULL,
    secret_number   SMALLINT NOT NULL,
    way             SMALLINT NOT NULL CHECK (way IN (1, 2)),
    times           BIGINT NOT NULL,
    first_at        BIGINT NOT NULL,
    last_at         BIGINT NOT NULL,
    PRIMARY KEY (key_row, secret_number, way)
);
CREATE INDEX key_exposures_by_age ON key_exposures (last_at);

-- The bounds that a key's owner set below its plan's; a key without any has no row.
CREATE TABLE key_bounds (
    key_row         BIGINT PRIMARY KEY NOT NULL REFERENCES keys (id) ON DELETE CASCADE,
    per_second      BIGINT CHECK (per_second >= 1),
    per_minute      BIGINT CHECK (per_minute >= 1),
    burst           BIGINT CHECK (burst >= 1)
);

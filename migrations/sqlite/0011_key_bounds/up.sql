-- The bounds that a key's owner set below its plan's; a key without any has no row.
CREATE TABLE key_bounds (
    key_row         INTEGER PRIMARY KEY NOT NULL REFERENCES keys (id) ON DELETE CASCADE,
    per_second      INTEGER CHECK (per_second >= 1),
    per_minute      INTEGER CHECK (per_minute >= 1),
    burst           INTEGER CHECK (burst >= 1)
) STRICT;

-- Ends of keys that have come. A key whose row names its present end is over, whatever a clock says later.
CREATE TABLE key_ends (
    key_row         INTEGER PRIMARY KEY NOT NULL REFERENCES keys (id) ON DELETE CASCADE,
    ends_at         INTEGER NOT NULL
) STRICT;

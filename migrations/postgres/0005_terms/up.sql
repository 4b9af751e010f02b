-- Who answers for a key when it is no member of its account, where it is deployed, and which key it takes the place of.
ALTER TABLE keys ADD COLUMN responsible_name TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE keys ADD COLUMN deployed TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE keys ADD COLUMN replaces_row BIGINT;

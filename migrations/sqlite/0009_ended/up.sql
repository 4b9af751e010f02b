-- Whether the secret's end has come: it then stays so, whatever a clock says later.
ALTER TABLE secrets ADD COLUMN ended INTEGER NOT NULL DEFAULT 0 CHECK (ended IN (0, 1));
CREATE INDEX secrets_ending ON secrets (retires_at) WHERE retires_at IS NOT NULL AND ended = 0;

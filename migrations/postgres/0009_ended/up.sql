-- Whether the secret's end has come: it then stays so, whatever a clock says later.
ALTER TABLE secrets ADD COLUMN ended BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX secrets_ending ON secrets (retires_at) WHERE retires_at IS NOT NULL AND NOT ended;

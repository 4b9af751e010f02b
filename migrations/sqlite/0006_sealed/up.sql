-- The id of the master key that a secret is sealed with, where it can be read again.
ALTER TABLE secrets ADD COLUMN sealed_by TEXT;
CREATE INDEX secrets_sealed ON secrets (sealed_by) WHERE sealed_by IS NOT NULL;

DROP INDEX secrets_sealed;
ALTER TABLE secrets DROP COLUMN sealed_by;

DROP INDEX secrets_ending;
ALTER TABLE secrets DROP COLUMN ended;

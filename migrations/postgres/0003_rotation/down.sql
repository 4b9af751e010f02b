ALTER TABLE secrets DROP COLUMN warned_at;

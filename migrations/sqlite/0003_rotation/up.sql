-- When the people of a key were told that this secret is still used and ends soon.
ALTER TABLE secrets ADD COLUMN warned_at INTEGER;

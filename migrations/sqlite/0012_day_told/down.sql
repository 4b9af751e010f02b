DROP INDEX account_days_by_day;
ALTER TABLE account_days DROP COLUMN told;

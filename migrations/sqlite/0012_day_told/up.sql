-- The share of the day, in percent, whose use the account's people were told of.
ALTER TABLE account_days ADD COLUMN told INTEGER NOT NULL DEFAULT 0;
CREATE INDEX account_days_by_day ON account_days (day);

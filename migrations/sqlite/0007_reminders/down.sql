DROP INDEX keys_expiring;
DROP TABLE key_reminders;
